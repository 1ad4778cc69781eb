#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gate_decision
short_description: Decide for a gate that cannot
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Leaves a person's decision on the proxy, where M(greenlight.deploy.traffic_gate) finds it within seconds.
  - V(abort) ends a watch at once and sends the deployment back. V(promote) lets a gate go on that waits for a person
    because it could not measure; it does not overrule a gate that can. Both are about the share that is being watched
    at that moment and about nothing later.
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: none
options:
  app:
    description: Name of the application.
    type: str
    required: true
  decision:
    description: To go on or to go back.
    type: str
    choices: [promote, abort]
    required: true
  reason:
    description: Why. It is recorded.
    type: str
    required: true
  by:
    description: Who decides.
    type: str
    required: true
seealso:
  - module: greenlight.deploy.traffic_gate
"""

EXAMPLES = r"""
- name: Go on
  greenlight.deploy.gate_decision:
    app: mobile-sync
    decision: promote
    reason: nobody works at this hour, smoke tests are good
    by: alice
"""

RETURN = r"""
decision:
  description: What was written.
  returned: always
  type: dict
  sample:
    id: 9f86d081884c7d65
    decision: promote
    reason: nobody works at this hour, smoke tests are good
    by: alice
    at: "2026-11-22T12:45:00Z"
"""

import secrets
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision import ABORT, PROMOTE, Decision, checked
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision_file import write_decision
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "decision": {"type": "str", "choices": [PROMOTE, ABORT], "required": True},
    "reason": {"type": "str", "required": True},
    "by": {"type": "str", "required": True},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Write the decision; refused where the application is not."""
    wanted = module.params
    layout = Layout(text.app_name(wanted["app"]))
    TrafficFiles(layout.traffic).contact()
    decision = checked(
        Decision(
            id=secrets.token_hex(8),
            decision=wanted["decision"],
            reason=wanted["reason"],
            by=wanted["by"],
            at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        )
    )
    if not module.check_mode:
        write_decision(layout, decision)
    return {"changed": True, "decision": decision.as_dict()}


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
