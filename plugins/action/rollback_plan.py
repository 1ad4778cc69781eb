# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import plan, rollback, verdict
from ansible_collections.greenlight.deploy.plugins.plugin_utils.clock import seconds_since_start
from ansible_collections.greenlight.deploy.plugins.plugin_utils.controller_action import ControllerAction
from ansible_collections.greenlight.deploy.plugins.plugin_utils.inventory import fleet_of


class ActionModule(ControllerAction):
    """Chooses the colour and release that the clients go back to, once, on the controller."""

    ARGUMENTS: ClassVar[Mapping[str, Any]] = {
        "kind": {"type": "str", "choices": ["traffic", "code", "drill"], "default": "traffic"},
        "release": {"type": "str", "default": ""},
        "confirmed": {"type": "bool", "default": False},
    }

    def decide(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        proxies = self._said(task_vars, "proxies", "rollback_traffic", "serving")
        choose = {"traffic": self._traffic, "code": self._code, "drill": self._drill}[arguments["kind"]]
        way = choose(arguments, proxies, task_vars)
        facts: dict[str, Any] = {"greenlight_way_back": way}
        if arguments["kind"] != "traffic":
            deployment = plan.deployment_id(time.time(), secrets.token_hex(2))
            fleet, application = fleet_of(task_vars), task_vars["greenlight_application"]
            facts["greenlight_plan"] = rollback.as_plan(way, application, fleet, deployment)
            facts["greenlight_verdict"] = verdict.BEGINNING.as_fact()
        return {"msg": self._sentence(way), "ansible_facts": facts}

    @staticmethod
    def _said(task_vars: Mapping[str, Any], group: str, variable: str, key: str) -> dict[str, Any]:
        """What a read-only module said on each host of a group that was reached."""
        facts = task_vars["hostvars"]
        hosts = task_vars["groups"][group]
        return {host: seen for host in hosts if key in (seen := facts[host].get(variable, {}))}

    @staticmethod
    def _sentence(way: Mapping[str, Any]) -> str:
        if way.get("nothing_to_do"):
            return f"Nothing to do: {way['version']} ({way['release']}) already serves as {way['colour']}."
        left = way["left_version"] or "nothing"
        return f"Back to {way['version']} ({way['colour']}), away from {left} ({way['left']})."

    @staticmethod
    def _traffic(arguments: Mapping[str, Any], proxies: Mapping[str, Any], _variables: object) -> dict[str, Any]:
        release = arguments["release"]
        found = {rollback.colour_with(release, seen) for seen in proxies.values()} if release else {""}
        if release and (len(found) != 1 or not all(found)):
            raise InvalidInput(
                f"{release} is not on one colour of every proxy",
                where="rollback_release",
                expected="a release that is running",
                do="start it again first: rollback.yml --tags code",
            )
        return rollback.decide(proxies, found.pop())

    def _code(
        self, arguments: Mapping[str, Any], proxies: Mapping[str, Any], task_vars: Mapping[str, Any]
    ) -> dict[str, Any]:
        apps, fleet = self._said(task_vars, "apps", "rollback_releases", "releases"), fleet_of(task_vars)
        hosts = {colour: fleet.hosts(colour) for colour in plan.OTHER}
        way = rollback.decide_code(proxies, apps, hosts, arguments["release"])
        self.say(self._sentence(way))
        return way

    def _drill(
        self, arguments: Mapping[str, Any], proxies: Mapping[str, Any], task_vars: Mapping[str, Any]
    ) -> dict[str, Any]:
        rollback.require_rehearsal(self._environments(task_vars), confirmed=arguments["confirmed"])
        return {**rollback.other_way(proxies), "ends": [seconds_since_start()]}

    @staticmethod
    def _environments(task_vars: Mapping[str, Any]) -> set[str]:
        """What the inventories of the proxies are called: their folder, and their file without its ending."""
        proxies = [task_vars["hostvars"][host] for host in task_vars["groups"]["proxies"]]
        folders = {Path(facts.get("inventory_dir") or "").name for facts in proxies}
        return folders | {Path(facts.get("inventory_file") or "").stem for facts in proxies}
