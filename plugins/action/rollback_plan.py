# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import plan, rollback, verdict
from ansible_collections.greenlight.deploy.plugins.plugin_utils.controller_action import ControllerAction


class ActionModule(ControllerAction):
    """Chooses the colour that the clients go back to, once, on the controller."""

    ARGUMENTS: ClassVar[Mapping[str, Any]] = {
        "colour": {"type": "str", "choices": ["", "blue", "green"], "default": ""}
    }

    def decide(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        facts = task_vars["hostvars"]
        proxies = {
            host: seen
            for host in task_vars["groups"]["proxies"]
            if "serving" in (seen := facts[host].get("rollback_traffic", {}))
        }
        colour = arguments["colour"]
        way = rollback.way_to(colour, proxies) if colour else rollback.decide(proxies)
        way["ports"] = plan.ports(task_vars["greenlight_application"])
        return {
            "msg": (
                f"Back to {way['version']} ({way['colour']}), "
                f"away from {way['left_version'] or 'nothing'} ({way['left']})."
            ),
            "ansible_facts": {"greenlight_way_back": way, "greenlight_verdict": verdict.BEGINNING.as_fact()},
        }
