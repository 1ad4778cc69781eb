# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the secrets that a module was given out of what it answers, and only those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ansible_collections.greenlight.deploy.plugins.module_utils.build.output import MASK, SHORTEST_SECRET

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def take_secrets(module: AnsibleModule, option: str) -> dict[str, str]:
    """The values of a ``no_log`` option by name, as texts; the module's own copy is masked from now on.

    Ansible takes every such value out of the answer wherever it stands. A secret as short as ``1`` would so spoil
    hashes and ids that the next task needs, hence values that are too short to be secret are left alone.
    """
    values = {str(name): str(value) for name, value in module.params[option].items()}
    module.params[option] = dict.fromkeys(values, MASK)
    module.no_log_values -= {value for value in module.no_log_values if len(value) < SHORTEST_SECRET}
    return values
