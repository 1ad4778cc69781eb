# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import verdict
from ansible_collections.greenlight.deploy.plugins.plugin_utils import keeper
from ansible_collections.greenlight.deploy.plugins.plugin_utils.controller_action import ControllerAction


class ActionModule(ControllerAction):
    """Collects what every host of the play said of a step and decides once, on the controller."""

    ARGUMENTS: ClassVar[Mapping[str, Any]] = {
        "step": {"type": "str", "required": True},
        "hosts": {"type": "list", "elements": "str", "required": True},
        "wave": {"type": "int", "default": 1},
        "waves": {"type": "int", "default": 1},
    }

    def decide(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        facts = task_vars["hostvars"]
        failures = {host: failure for host in arguments["hosts"] if (failure := facts[host].get("fleet_step_failure"))}
        before = task_vars.get("greenlight_verdict")
        outcome = verdict.decide(
            arguments["step"],
            arguments["hosts"],
            frozenset(task_vars["ansible_play_hosts"]),
            failures,
            before,
            (arguments["wave"], arguments["waves"]),
            keeper.problems(),
        )
        if not before or before["go"]:
            self.say(outcome.sentence)
        return {"msg": outcome.sentence, "ansible_facts": {"greenlight_verdict": outcome.as_fact()}}
