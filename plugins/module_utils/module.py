# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place where our errors become Ansible's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError

Result = Mapping[str, Any]


def run(act: Callable[[AnsibleModule], Result], argument_spec: Mapping[str, Any], **options: Any) -> None:
    """Build the module, call ``act`` once and exit with what it returns.

    ``options`` go to :class:`AnsibleModule`; check mode is supported unless they say otherwise. A
    :class:`GreenlightError` ends the module with a message for the operator and its parts under ``error``.
    """
    options.setdefault("supports_check_mode", True)
    module = AnsibleModule(argument_spec=dict(argument_spec), **options)
    try:
        result = act(module)
    except GreenlightError as error:
        module.fail_json(msg=str(error), error=error.as_dict())
    module.exit_json(**{"changed": False, **result})
