#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_home
short_description: Send every client of a proxy back, in one call
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Looks where the clients belong, asks that colour through the proxy whether it can serve, switches without a reload,
    and asks the proxy afterwards who answers. One call on each proxy, since seconds count.
  - A shift that is under way goes back to the colour that served before it, a finished one to the last good colour.
  - A colour that does not answer gets no clients. The module then does not fail but says RV(home=false), so that the
    colour can be started first.
  - The release that is left is marked as bad and is never chosen again.
attributes:
  check_mode:
    support: full
    description: Says where the clients would go, and asks nothing.
  diff_mode:
    support: full
    description: Shows the record before and after.
options:
  app:
    description: Name of the application, as given to M(greenlight.deploy.nginx_site).
    type: str
    required: true
  colour:
    description: Colour to go to. Found from the record of the proxy when it is empty.
    type: str
    choices: ["", blue, green]
    default: ""
  release:
    description: What the colour has from now on, when it was given another release than the record says.
    type: dict
    suboptions:
      id:
        description: Id of the release.
        type: str
        required: true
      sha:
        description: Commit.
        type: str
        default: ""
      ref:
        description: What people call it.
        type: str
        default: ""
      fingerprint:
        description: Stands for the configuration with which the release runs.
        type: str
        default: ""
      status:
        description: A word of the caller's.
        type: str
        default: good
  blame:
    description: Whether to mark the release that is left as bad. A rehearsal does not.
    type: bool
    default: true
  wait:
    description: Seconds to wait for a colour that does not answer yet.
    type: float
    default: 0
  health:
    description: Paths that the colour is asked for first. An empty one is left out.
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
        default: /readiness
      websocket:
        description: WebSocket.
        type: str
        default: ""
  verify:
    description: How many classes to ask about afterwards.
    type: int
    default: 3
  timeout:
    description: Seconds for one question.
    type: int
    default: 5
seealso:
  - module: greenlight.deploy.traffic
"""

EXAMPLES = r"""
- name: Everybody back to where they came from
  greenlight.deploy.traffic_home:
    app: mobile-sync
    health: {path: /health, readiness: /readiness, websocket: /ws/sync}
"""

RETURN = r"""
home:
  description: Whether every client of this proxy is with the colour now.
  returned: success
  type: bool
problems:
  description: What is wrong with the colour, where it does not answer.
  returned: success
  type: list
  elements: str
  sample: ["health: status 502, expected 200"]
way:
  description: The colour and release to go to, and those that are left.
  returned: success
  type: dict
  sample:
    colour: blue
    release: 20261121T090000Z-7f3c2aa
    version: v1.0.0
    left: green
    left_release: 20261122T124500Z-1a2b3c4
    left_version: v2.0.0
returned:
  description: What the dead-man's switch had done already, as M(greenlight.deploy.traffic_info) tells it.
  returned: success
  type: dict
seconds:
  description: Seconds from the begin of the module until the colour had answered, the switch, and the last answer.
  returned: success
  type: dict
  sample: {asked: 0.061, switched: 0.064, verified: 0.102}
before:
  description: The record before, as M(greenlight.deploy.traffic) returns it.
  returned: when switched
  type: dict
after:
  description: The record after.
  returned: when switched
  type: dict
verified:
  description: How many questions were asked afterwards, and how many were answered by the colour.
  returned: when switched
  type: dict
  sample: {blue: {asked: 3, answered: 3}}
"""

import time
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.health.tester import checks_of, endpoint_of, look_at
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import ask, homeward, text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Finding, Question

RELEASE: dict[str, Any] = {
    "id": {"type": "str", "required": True},
    "sha": {"type": "str", "default": ""},
    "ref": {"type": "str", "default": ""},
    "fingerprint": {"type": "str", "default": ""},
    "status": {"type": "str", "default": "good"},
}
HEALTH: dict[str, Any] = {
    "path": {"type": "str", "default": "/health"},
    "readiness": {"type": "str", "default": "/readiness"},
    "websocket": {"type": "str", "default": ""},
}
ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "colour": {"type": "str", "choices": ["", "blue", "green"], "default": ""},
    "release": {"type": "dict", "options": RELEASE},
    "blame": {"type": "bool", "default": True},
    "wait": {"type": "float", "default": 0.0},
    "health": {"type": "dict", "default": {}, "options": HEALTH, "apply_defaults": True},
    "verify": {"type": "int", "default": 3},
    "timeout": {"type": "int", "default": 5},
}


def senses_of(contact: Contact, wanted: dict[str, Any]) -> homeward.Senses:
    """How this proxy is asked."""
    timeout = text.number(wanted["timeout"], "timeout", 1, 300)
    checks = checks_of(wanted["health"], timeout)

    def look(colour: str, release: str) -> list[str]:
        return look_at(endpoint_of(contact, colour), checks, timeout, f"{colour}/{release}/")

    def find_out(there: Contact, questions: Sequence[Question]) -> list[Finding]:
        return ask.find_out(there, questions, timeout)

    return homeward.Senses(look, find_out, time.monotonic, time.sleep)


def act(module: AnsibleModule) -> dict[str, Any]:
    """Take the clients of this proxy back."""
    wanted = module.params
    files = TrafficFiles(Layout(text.app_name(wanted["app"])).traffic)
    errand = homeward.Errand(
        colour=wanted["colour"],
        release=wanted["release"] or {},
        wait=wanted["wait"],
        blame=wanted["blame"],
        verify=text.number(wanted["verify"], "verify", 0, 100),
    )
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = homeward.go(files, errand, senses_of(files.contact(), wanted), now, check=module.check_mode)
    shown = {name: result[name] for name in ("before", "after") if name in result}
    return {**result, "diff": shown} if shown else result


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
