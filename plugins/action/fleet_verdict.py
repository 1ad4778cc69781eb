# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import verdict


class ActionModule(ActionBase):
    """Collects what every host of the play said of a step and decides once, on the controller."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _outcome, arguments = self.validate_argument_spec(
            {
                "step": {"type": "str", "required": True},
                "hosts": {"type": "list", "elements": "str", "required": True},
            }
        )
        facts = task_vars["hostvars"]
        failures = {host: failure for host in arguments["hosts"] if (failure := facts[host].get("fleet_step_failure"))}
        before = task_vars.get("greenlight_verdict")
        outcome = verdict.decide(
            arguments["step"], arguments["hosts"], frozenset(task_vars["ansible_play_hosts"]), failures, before
        )
        if not before or before["go"]:
            self._display.display(f"  {outcome.sentence}")
        result.update(changed=False, msg=outcome.sentence, ansible_facts={"greenlight_verdict": outcome.as_fact()})
        return result
