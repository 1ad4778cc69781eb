# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import plan, rollback, verdict


class ActionModule(ActionBase):
    """Chooses the colour that the clients go back to, once, on the controller."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _outcome, arguments = self.validate_argument_spec(
            {"colour": {"type": "str", "choices": ["", "blue", "green"], "default": ""}}
        )
        facts = task_vars["hostvars"]
        proxies = {
            host: seen
            for host in task_vars["groups"]["proxies"]
            if "serving" in (seen := facts[host].get("rollback_traffic", {}))
        }
        try:
            colour = arguments["colour"]
            way = rollback.way_to(colour, proxies) if colour else rollback.decide(proxies)
            way["ports"] = plan.ports(task_vars["greenlight_application"])
        except GreenlightError as error:
            result.update(failed=True, msg=str(error))
            return result
        result.update(
            changed=False,
            msg=(
                f"Back to {way['version']} ({way['colour']}), "
                f"away from {way['left_version'] or 'nothing'} ({way['left']})."
            ),
            ansible_facts={"greenlight_way_back": way, "greenlight_verdict": verdict.BEGINNING.as_fact()},
        )
        return result
