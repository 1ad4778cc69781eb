# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible's variables say of the fleet, for plugins that run on the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.plan import OTHER, Fleet


def address_of(facts: Mapping[str, Any]) -> str:
    """The address under which the proxies reach a host."""
    return str(facts.get("greenlight_address") or facts.get("ansible_host") or facts["inventory_hostname"])


def fleet_of(task_vars: Mapping[str, Any]) -> Fleet:
    """The hosts of the groups ``proxies``, ``apps``, ``blue`` and ``green``; a group that is not there is empty."""
    groups, facts = task_vars["groups"], task_vars["hostvars"]
    proxies, apps = (list(groups.get(name, [])) for name in ("proxies", "apps"))
    addresses = {host: address_of(facts[host]) for host in dict.fromkeys([*proxies, *apps])}
    return Fleet(proxies, apps, addresses, {colour: list(groups.get(colour, [])) for colour in OTHER})
