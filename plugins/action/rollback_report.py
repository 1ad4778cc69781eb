# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import plan, rollback
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.verdict import Failure, Verdict
from ansible_collections.greenlight.deploy.plugins.plugin_utils.clock import seconds_since_start
from ansible_collections.greenlight.deploy.plugins.plugin_utils.controller_action import ControllerAction
from ansible_collections.greenlight.deploy.plugins.plugin_utils.inventory import fleet_of


class ActionModule(ControllerAction):
    """Collects what every proxy did, says it with its seconds, and decides once whether everybody is home."""

    ARGUMENTS: ClassVar[Mapping[str, Any]] = {
        "kind": {"type": "str", "choices": list(rollback.BUDGETS), "default": "traffic"},
        "quiet": {"type": "bool", "default": False},
    }

    def decide(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        elapsed = seconds_since_start()
        facts, proxies = task_vars["hostvars"], task_vars["groups"]["proxies"]
        taken = rollback.steps(proxies, frozenset(task_vars["ansible_play_hosts"]), facts)
        ways = (home["way"] for step in taken if "way" in (home := facts[step.host].get("rollback_home") or {}))
        known = task_vars.get("greenlight_way_back") or {}
        way = next(ways, known)
        budget = rollback.BUDGETS[arguments["kind"]]
        sentence = rollback.ending(way, taken, elapsed, budget)
        failures = tuple(Failure(step.host, "", step.problem) for step in taken if step.problem)
        found = {
            **way,
            "asleep": [step.host for step in taken if step.asleep],
            "home": [step.host for step in taken if not step.problem],
            "seconds": rollback.points_of([step for step in taken if not step.problem], elapsed),
            "budget": budget,
            "deployment": known.get("deployment") or plan.deployment_id(time.time(), secrets.token_hex(2)),
            **self._application(task_vars),
        }
        if not arguments["quiet"]:
            self.say(sentence)
        verdict = Verdict(not failures, "go back", failures, sentence)
        return {
            "msg": sentence,
            "ansible_facts": {"greenlight_way_back": found, "greenlight_verdict": verdict.as_fact()},
        }

    @staticmethod
    def _application(task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """The ports and hosts of each colour, once the description was checked."""
        application = task_vars.get("greenlight_application")
        if not application:
            return {}
        fleet = fleet_of(task_vars)
        return {"ports": plan.ports(application), "hosts": {colour: fleet.hosts(colour) for colour in plan.OTHER}}
