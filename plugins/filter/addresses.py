# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: addresses
short_description: The address on which each host of a group serves
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Gives for each host its C(greenlight_address), else its C(ansible_host), else its name.
positional: hostvars
options:
  _input:
    description: Names of hosts, such as C(groups['apps']).
    type: list
    elements: str
    required: true
  hostvars:
    description: C(hostvars).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show where the application serves
  ansible.builtin.debug:
    msg: "{{ groups['apps'] | greenlight.deploy.addresses(hostvars) }}"
"""

RETURN = r"""
_value:
  description: Addresses by host.
  type: dict
  sample: {app1: 10.0.0.21}
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

NAMES = ("greenlight_address", "ansible_host")


def addresses(hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Address by host."""
    return {host: str(next((hostvars[host][name] for name in NAMES if name in hostvars[host]), host)) for host in hosts}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"addresses": addresses}
