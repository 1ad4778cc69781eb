# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible.plugins.action import ActionBase

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import description
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.tls import check_pair
from ansible_collections.greenlight.deploy.plugins.plugin_utils.inventory import fleet_of

SPECIFICATION = Path(__file__).parents[2] / "roles" / "preflight" / "meta" / "argument_specs.yml"


class ActionModule(ActionBase):
    """Checks every ``greenlight_*`` variable and the inventory, on the controller, before any host is asked."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        self.validate_argument_spec({})
        spec = yaml.safe_load(SPECIFICATION.read_text(encoding="utf-8"))["argument_specs"]["application"]["options"]
        try:
            application, problems = description.resolve(spec, self._named(task_vars))
            problems += description.check_fleet(fleet_of(task_vars), task_vars.get("ansible_limit", ""))
            if not problems:
                problems += self._certificate(application)
            description.raise_all(problems, "The description of the application cannot be used")
        except GreenlightError as error:
            result.update(failed=True, msg=str(error))
            return result
        public = {
            name: value for name, value in application.items() if description.PREFIX + name not in description.SECRETS
        }
        result.update(changed=False, ansible_facts={"greenlight_application": public})
        return result

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
