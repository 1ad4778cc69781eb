#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: colour_watch
short_description: Watch one colour of an application through the proxy
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Asks this proxy, as a tester, for the health, readiness and WebSocket of one colour, again and again for some
    seconds.
  - Asks on the address on which clients ask, over TLS, accepting only the certificate that was installed here.
  - A tester who names a colour is never served by the other one as a stand-in, so that a dead colour cannot hide behind
    it.
options:
  app:
    description: Name of the application.
    type: str
    required: true
  colour:
    description: Colour to watch.
    type: str
    choices: [blue, green]
    required: true
  release:
    description: Release that must answer. It is compared where the application says it in C(X-Greenlight-Served-By).
    type: str
    default: ""
  seconds:
    description: How long to watch. 0 looks once, as check mode does.
    type: int
    default: 0
  interval:
    description: Seconds between two looks.
    type: int
    default: 5
  failures:
    description: Bad looks that end the watch as failed. The last look must be good in any case.
    type: int
    default: 3
  timeout:
    description: Seconds for one look.
    type: float
    default: 5
  fail_on_bad:
    description: Fail when the watch ended badly. Otherwise the result says so.
    type: bool
    default: true
  health:
    description: Paths that are looked at. An empty one is left out.
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
"""

EXAMPLES = r"""
- name: Watch green for five minutes
  greenlight.deploy.colour_watch:
    app: mobile-sync
    colour: green
    seconds: 300
    health: {path: /health, readiness: /readiness, websocket: /ws/sync}
"""

RETURN = r"""
ok:
  description: Whether fewer than O(failures) looks were bad and the last one was good.
  returned: always
  type: bool
looks:
  description: How often was looked.
  returned: always
  type: int
bad:
  description: How many of the looks were bad.
  returned: always
  type: int
problems:
  description: What the last bad look saw.
  returned: always
  type: list
  elements: str
  sample: ["readiness: status 503, expected 200"]
seconds:
  description: How long was watched.
  returned: always
  type: float
"""

import time
from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.health.tester import checks_of, endpoint_of, look_at
from ansible_collections.greenlight.deploy.plugins.module_utils.health.watch import watch
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "colour": {"type": "str", "choices": ["blue", "green"], "required": True},
    "release": {"type": "str", "default": ""},
    "seconds": {"type": "int", "default": 0},
    "interval": {"type": "int", "default": 5},
    "failures": {"type": "int", "default": 3},
    "timeout": {"type": "float", "default": 5.0},
    "fail_on_bad": {"type": "bool", "default": True},
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


def act(module: AnsibleModule) -> dict[str, Any]:
    """Watch, and fail when the colour did not stay well."""
    wanted = module.params
    endpoint = endpoint_of(TrafficFiles(Layout(wanted["app"]).traffic).contact(), wanted["colour"])
    checks = checks_of(wanted["health"], wanted["timeout"])
    served_by = f"{wanted['colour']}/{wanted['release']}/" if wanted["release"] else ""
    watched = watch(
        lambda: look_at(endpoint, checks, wanted["timeout"], served_by),
        seconds=0 if module.check_mode else wanted["seconds"],
        interval=wanted["interval"],
        failures=wanted["failures"],
        clock=time.monotonic,
        sleep=time.sleep,
    )
    if wanted["fail_on_bad"] and not watched.ok:
        raise NotReady(
            f"{watched.bad} of {watched.looks} looks at {wanted['colour']} were bad; {'; '.join(watched.problems)}",
            expected=f"fewer than {wanted['failures']} bad looks and a good one at the end",
        )
    return asdict(watched)


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
