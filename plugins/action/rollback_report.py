# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import plan, rollback
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.rollback import Step
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.verdict import Failure, Verdict
from ansible_collections.greenlight.deploy.plugins.plugin_utils.clock import seconds_since_start
from ansible_collections.greenlight.deploy.plugins.plugin_utils.controller_action import ControllerAction
from ansible_collections.greenlight.deploy.plugins.plugin_utils.inventory import fleet_of

Facts = dict[str, Any]


class ActionModule(ControllerAction):
    """Collects what every proxy did, says it with its seconds, and decides once whether everybody is home."""

    ARGUMENTS: ClassVar[Mapping[str, Any]] = {
        "kind": {"type": "str", "choices": [*rollback.BUDGETS, "drill"], "default": "traffic"},
        "quiet": {"type": "bool", "default": False},
    }

    def decide(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        self._facts, self._present = task_vars["hostvars"], frozenset(task_vars["ansible_play_hosts"])
        self._proxies: list[str] = task_vars["groups"]["proxies"]
        known = task_vars.get("greenlight_way_back") or {}
        report = self._drill if arguments["kind"] == "drill" else self._went
        taken, way, sentence = report(known, arguments["kind"])
        failures = tuple(Failure(step.host, "", step.problem) for step in taken if step.problem)
        facts: Facts = {
            "greenlight_way_back": way,
            "greenlight_verdict": Verdict(not failures, "go back", failures, sentence).as_fact(),
        }
        application = task_vars.get("greenlight_application")
        if application and "colour" in way:
            deployment = (task_vars.get("greenlight_plan") or {}).get("deployment") or self._new_id()
            facts["greenlight_plan"] = rollback.as_plan(way, application, fleet_of(task_vars), deployment)
        if not arguments["quiet"]:
            self.say(sentence)
        return {"msg": sentence, "ansible_facts": facts}

    def _went(self, known: Facts, kind: str) -> tuple[list[Step], Facts, str]:
        """How the way back went."""
        elapsed = seconds_since_start()
        taken = rollback.steps(self._proxies, self._present, self._facts, known.get("release", ""))
        found = (self._facts[step.host].get("rollback_home") or {} for step in taken)
        way = known or next((home["way"] for home in found if "way" in home), {})
        times = rollback.timeline(taken, elapsed, known.get("times", {}))
        begun, lost = known.get("begun", []), known.get("lost", [])
        taken += [Step(host, rollback.UNREACHABLE) for host in [*lost, *(set(begun) - self._present)]]
        points = rollback.latest(times)
        told = {
            "asleep": [step.host for step in taken if step.asleep],
            "home": list(times),
            "times": times,
            "seconds": points,
            "budget": rollback.BUDGETS[kind],
        }
        return taken, {**way, **told}, rollback.ending(way, taken, points, rollback.BUDGETS[kind])

    def _drill(self, known: Facts, _kind: str) -> tuple[list[Step], Facts, str]:
        """How a rehearsal went, once there and once more when the clients are back."""
        elapsed = seconds_since_start()
        ends = [*known.get("ends", []), elapsed]
        there = rollback.steps(self._proxies, self._present, self._facts, results=["rollback_home"])
        again = rollback.steps(self._proxies, self._present, self._facts, results=["rollback_home_again"])
        back = again if len(ends) > 2 else []  # the first end is the beginning
        seconds = [round(end - begun, 1) for begun, end in pairwise(ends)]
        sentence = rollback.rehearsed(known, there, back, [*seconds, 0.0])
        return [*there, *back], {**known, "ends": ends, "seconds": seconds}, sentence

    @staticmethod
    def _new_id() -> str:
        return plan.deployment_id(time.time(), secrets.token_hex(2))
