#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_guard
short_description: A dead-man's switch, which brings the clients home when the controller is gone
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Run it on each proxy before a shift begins. A timer on the proxy then looks every few seconds whether the controller
    is alive. When the lock was not renewed for O(after) seconds while a share of the clients is with the candidate, all
    clients are given back to the colour that served before.
  - It needs nothing but the proxy itself, works after a reboot (which counts as no sign of life), and acts under the
    same lock as M(greenlight.deploy.traffic), so that it never meets a change half-way. A shift that was settled is
    left alone.
  - What it did is told by M(greenlight.deploy.traffic_info). Until it is disarmed or armed by another deployment,
    M(greenlight.deploy.traffic) refuses to shift clients away again.
attributes:
  check_mode:
    support: full
    description: Says what would be armed or taken away.
  diff_mode:
    support: none
    description: Will return details on what has changed when in diff mode.
options:
  app:
    description: Name of the application.
    type: str
    required: true
  state:
    description:
      - V(armed) needs the lock of a run, see M(greenlight.deploy.deployment_lock). It clears the report of an earlier
        deployment, and fails when the switch has acted in this one.
      - V(disarmed) takes the timer and the report away, and says for the last time what was done.
    type: str
    choices: [armed, disarmed]
    default: armed
  after:
    description: Seconds without a sign of life, at least two heartbeats of the lock.
    type: int
    default: 120
seealso:
  - module: greenlight.deploy.deployment_lock
  - module: greenlight.deploy.traffic
"""

EXAMPLES = r"""
- name: The clients come home when the controller is gone for two minutes
  greenlight.deploy.traffic_guard:
    app: mobile-sync
    after: 120

- name: The shift is over
  greenlight.deploy.traffic_guard:
    app: mobile-sync
    state: disarmed
"""

RETURN = r"""
armed:
  description: Whether it is armed now. It is not when no colour serves yet, since there is no home.
  returned: success
  type: bool
home:
  description: The colour to which all clients would go.
  returned: when armed
  type: str
  sample: blue
returned:
  description: What it did before this task, null when it did nothing.
  returned: success
  type: dict
  sample:
    at: "2026-11-22T12:51:09Z"
    from: green-10
    to: blue
    why: no sign of life from the controller for 120 s
    deployment: 20261122T124500Z-9f3a
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import clock
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guarding import Switch
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.services.systemd import Systemd
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["armed", "disarmed"], "default": "armed"},
    "after": {"type": "int", "default": 120},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Arm or disarm the switch of this proxy."""
    wanted = module.params
    layout = Layout(text.app_name(wanted["app"]))
    switch = Switch(DeploymentFiles(layout), TrafficFiles(layout.traffic), Systemd(stop_timeout=10))
    if wanted["state"] == "disarmed":
        return switch.disarm(clock.now(), check=module.check_mode)
    after = text.number(wanted["after"], "after", 1, 24 * 3600)
    return switch.arm(after, clock.now(), check=module.check_mode)


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
