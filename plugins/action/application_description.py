# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import description
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.tls import check_pair
from ansible_collections.greenlight.deploy.plugins.plugin_utils.controller_action import ControllerAction
from ansible_collections.greenlight.deploy.plugins.plugin_utils.inventory import fleet_of

SPECIFICATION = Path(__file__).parents[2] / "roles" / "preflight" / "meta" / "argument_specs.yml"


class ActionModule(ControllerAction):
    """Checks every ``greenlight_*`` variable and the inventory, on the controller, before any host is asked."""

    ARGUMENTS: ClassVar[Mapping[str, Any]] = {"limit": {"type": "str", "default": ""}}

    def decide(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        spec = yaml.safe_load(SPECIFICATION.read_text(encoding="utf-8"))["argument_specs"]["application"]["options"]
        application, problems = description.resolve(spec, self._named(task_vars))
        problems += description.check_fleet(fleet_of(task_vars), arguments["limit"])
        if not problems:
            problems += self._certificate(application)
        description.raise_all(problems, "The description of the application cannot be used")
        public = {
            name: value for name, value in application.items() if description.PREFIX + name not in description.SECRETS
        }
        return {"ansible_facts": {"greenlight_application": public}}

    def _named(self, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """The greenlight_* variables with their templates resolved; what differs between hosts is no part of it."""
        own = description.OWN_FACTS | {"greenlight_address"}
        return {
            name: self._templar.template(value)
            for name, value in task_vars.items()
            if name.startswith(description.PREFIX) and name not in own
        }

    @staticmethod
    def _certificate(application: Mapping[str, Any]) -> list[InvalidInput]:
        """What speaks against the certificate and key on the controller."""
        files = application["tls"]
        try:
            certificate, key = (Path(files[name]).read_text(encoding="utf-8") for name in ("certificate", "key"))
            check_pair(certificate, key, [application["domain"]], time.time())
        except InvalidInput as problem:
            return [problem]
        except (OSError, UnicodeDecodeError) as error:
            return [InvalidInput(str(error), where="greenlight_tls", expected="PEM files on the controller")]
        return []
