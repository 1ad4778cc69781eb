# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import rollback
from ansible_collections.greenlight.deploy.plugins.plugin_utils.controller_action import ControllerAction


class ActionModule(ControllerAction):
    """Chooses the colour that the clients go back to, once, on the controller."""

    ARGUMENTS: ClassVar[Mapping[str, Any]] = {
        "colour": {"type": "str", "choices": ["", "blue", "green"], "default": ""},
        "release": {"type": "str", "default": ""},
    }

    def decide(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        facts = task_vars["hostvars"]
        proxies = {
            host: seen
            for host in task_vars["groups"]["proxies"]
            if "serving" in (seen := facts[host].get("rollback_traffic", {}))
        }
        way = rollback.decide(proxies, arguments["colour"] or self._named(arguments["release"], proxies))
        return {
            "msg": (
                f"Back to {way['version']} ({way['colour']}), "
                f"away from {way['left_version'] or 'nothing'} ({way['left']})."
            ),
            "ansible_facts": {"greenlight_way_back": way},
        }

    @staticmethod
    def _named(release: str, proxies: Mapping[str, Mapping[str, Any]]) -> str:
        """The colour with the release that was named; empty when none was."""
        if not release:
            return ""
        found = {rollback.colour_with(release, seen) for seen in proxies.values()}
        if len(found) != 1 or not all(found):
            raise InvalidInput(
                f"{release} is not on one colour of every proxy",
                where="rollback_release",
                expected="a release that is running",
                do="start it again first: rollback.yml --tags code",
            )
        return found.pop()
