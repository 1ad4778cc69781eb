#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_window
short_description: Count what each colour of an application did, on one proxy
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Reads the access log of this proxy from where the call before stopped, also across a rotation, and counts per colour
    requests, errors, latencies and WebSockets; takes the live connections from the kernel; and sends probes to the
    candidate as a tester when its clients send too little.
  - A request that was meant for one colour and answered by the other one is an error of the first. Requests of testers
    do not count.
  - Looks only. M(greenlight.deploy.traffic_gate) calls it again and again and judges.
options:
  app:
    description: Name of the application.
    type: str
    required: true
  colour:
    description: The candidate.
    type: str
    choices: [blue, green]
    required: true
  release:
    description:
      - Release that must answer the probes. It is compared where the application says it in C(X-Greenlight-Served-By).
    type: str
    default: ""
  since:
    description: RV(cursor) of the call before. Empty begins now.
    type: dict
    default: {}
  seconds:
    description: How long to watch. 0 only reads what was written since, as check mode does.
    type: float
    default: 0
  alarm:
    description: Percentage of failed requests of the candidate that ends the call before its time. 0 means never.
    type: float
    default: 0
  probe:
    description: Whether to send probes to the candidate. At least one look at each path of O(health) is taken then.
    type: bool
    default: true
  requests:
    description: Requests that the candidate should have had. Probes make up for those that clients did not send.
    type: int
    default: 0
  sockets:
    description: WebSocket handshakes that the candidate should have had. Probes make up for the others.
    type: int
    default: 0
  timeout:
    description: Seconds for one probe.
    type: float
    default: 5
  health:
    description: Paths of the probes. An empty one is left out.
    type: dict
    default: {}
    suboptions:
      path:
        description: Liveness.
        type: str
        default: /health
      readiness:
        description: Readiness.
        type: str
        default: ""
      websocket:
        description: WebSocket.
        type: str
        default: ""
seealso:
  - module: greenlight.deploy.traffic_gate
"""

EXAMPLES = r"""
- name: What did each colour do in these ten seconds?
  greenlight.deploy.traffic_window:
    app: mobile-sync
    colour: green
    seconds: 10
    health: {path: /health, readiness: /readiness, websocket: /ws/sync}
"""

RETURN = r"""
cursor:
  description: Where the log was read to, and what was seen then. For the next call.
  returned: always
  type: dict
seconds:
  description: Seconds since the call before, or those of this one.
  returned: always
  type: float
colours:
  description:
    - What clients of each colour met. C(opened) is what the number of open sockets and of ended ones imply, C(refused)
      are handshakes that failed, C(cut_short) are sockets that ended within 10 seconds.
    - C(latencies) counts requests by milliseconds.
  returned: always
  type: dict
  sample:
    green:
      requests: 410
      errors: 37
      taken_over: 2
      opened: 12
      ended: 1
      cut_short: 0
      refused: 0
      latencies: {"12": 400, "1840": 10}
      sockets: 30
probes:
  description: The same of the probes, with C(problems), what the look at each path saw. Null without probes.
  returned: always
  type: dict
state:
  description: The state of the traffic in force, such as C(green-10).
  returned: always
  type: str
decision:
  description: The last decision of a person, see M(greenlight.deploy.gate_decision). Null when there is none.
  returned: always
  type: dict
cpu_seconds:
  description: What this call cost, in seconds of one core.
  returned: always
  type: float
unreadable:
  description: Lines of the log that are none of ours.
  returned: always
  type: int
gap:
  description: Whether lines were lost because the log was cut or removed.
  returned: always
  type: bool
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.access_log import AccessLog, position_of
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision_file import read_decision
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.probes import Prober
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.slices import Slicer, Wanted
from ansible_collections.greenlight.deploy.plugins.module_utils.health.tester import endpoint_of
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import NONE, colour_of

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "colour": {"type": "str", "choices": ["blue", "green"], "required": True},
    "release": {"type": "str", "default": ""},
    "since": {"type": "dict", "default": {}},
    "seconds": {"type": "float", "default": 0.0},
    "alarm": {"type": "float", "default": 0.0},
    "probe": {"type": "bool", "default": True},
    "requests": {"type": "int", "default": 0},
    "sockets": {"type": "int", "default": 0},
    "timeout": {"type": "float", "default": 5.0},
    "health": {
        "type": "dict",
        "default": {},
        "options": {
            "path": {"type": "str", "default": "/health"},
            "readiness": {"type": "str", "default": ""},
            "websocket": {"type": "str", "default": ""},
        },
    },
}


def prober(contact: Contact, wanted: dict[str, Any]) -> Prober:
    """Probes of the candidate through this proxy; a tester who names a colour is never served by the other one."""
    served_by = f"{wanted['colour']}/{wanted['release']}/" if wanted["release"] else f"{wanted['colour']}/"
    return Prober(endpoint_of(contact, wanted["colour"]), wanted["health"], served_by, wanted["timeout"])


def act(module: AnsibleModule) -> dict[str, Any]:
    """Watch for a while and count."""
    wanted = module.params
    layout = Layout(text.app_name(wanted["app"]))
    files = TrafficFiles(layout.traffic)
    contact = files.contact()
    slicer = Slicer(
        AccessLog(layout.log, position_of(wanted["since"])), Kernel(), contact.upstreams, time.monotonic, time.sleep
    )
    counted = slicer.take(
        Wanted(
            candidate=colour_of(wanted["colour"]),
            seconds=0.0 if module.check_mode else wanted["seconds"],
            alarm=wanted["alarm"],
            requests=wanted["requests"],
            sockets=wanted["sockets"],
            prober=prober(contact, wanted) if wanted["probe"] else None,
        ),
        wanted["since"],
    )
    decision = read_decision(layout)
    return {
        **counted,
        "state": (files.state() or NONE).name,
        "decision": decision.as_dict() if decision else None,
        "cpu_seconds": round(time.process_time(), 3),
    }


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
