# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import journal
from ansible_collections.greenlight.deploy.plugins.plugin_utils import keeper
from ansible_collections.greenlight.deploy.plugins.plugin_utils.controller_action import ControllerAction


class ActionModule(ControllerAction):
    """Leaves what is begun with those who renew the locks of this run; nobody waits for them."""

    ARGUMENTS: ClassVar[Mapping[str, Any]] = {
        "deployment": {"type": "str", "required": True},
        "data": {"type": "dict", "required": True},
    }

    def decide(self, arguments: Mapping[str, Any], _variables: Mapping[str, Any]) -> dict[str, Any]:
        journal.line(journal.entry("", arguments["deployment"], "begun", arguments["data"]))
        keeper.tell(arguments["data"])
        return {}
