# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import description, plan, verdict
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import sentences
from ansible_collections.greenlight.deploy.plugins.plugin_utils.controller_action import ControllerAction
from ansible_collections.greenlight.deploy.plugins.plugin_utils.inventory import fleet_of


class ActionModule(ControllerAction):
    """Judges what every host was seen to be and makes the plan, once, on the controller."""

    ARGUMENTS: ClassVar[Mapping[str, Any]] = {
        "source": {"type": "dict", "required": True},
        "disk_free": {"type": "int", "required": True},
        "clock_skew": {"type": "int", "required": True},
        "redeploy": {"type": "bool", "default": False},
        "deployment": {"type": "str", "default": ""},
    }

    def decide(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        application = task_vars["greenlight_application"]
        fleet = fleet_of(task_vars)
        inspections = {
            host: seen for host in fleet.addresses if (seen := self._inspection(task_vars["hostvars"][host]))
        }
        limits = plan.Limits(arguments["disk_free"] * plan.MIB, arguments["clock_skew"])
        now = time.time()
        problems = plan.judge(application, fleet, inspections, limits, now)
        description.raise_all(problems, "The fleet is not ready for a deployment")
        private = [
            self._templar.template(task_vars.get(name, {})) for name in ("greenlight_environment", "greenlight_secrets")
        ]
        made = plan.decide(
            application,
            fleet,
            inspections,
            arguments["source"],
            private,
            deployment=arguments["deployment"] or plan.deployment_id(now, secrets.token_hex(2)),
            redeploy=arguments["redeploy"],
        )
        for host in fleet.proxies:
            if returned := inspections[host]["traffic"].get("returned"):
                self.say(f"{host}: the dead-man's switch {sentences.returned(returned)}.")
        self.say(made["sentence"])
        return {
            "msg": made["sentence"],
            "ansible_facts": {"greenlight_plan": made, "greenlight_verdict": verdict.BEGINNING.as_fact()},
        }

    @staticmethod
    def _inspection(facts: Mapping[str, Any]) -> dict[str, Any]:
        """What preflight's read-only module said of one host; nothing when it was lost on the way."""
        seen = facts.get("preflight_host", {})
        return dict(seen) if "time" in seen else {}
