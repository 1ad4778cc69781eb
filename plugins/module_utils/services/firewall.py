# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nftables rules that keep everybody but the proxies from the instances. Pure."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Sequence

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services.units import table_name


def is_loopback(address: str) -> bool:
    """Whether only this host itself can reach ``address``; :class:`InvalidInput` when it is no address to bind to."""
    parsed = _parse(address, "address")
    if parsed.is_unspecified:
        raise InvalidInput(
            f"{address} would listen on every network",
            where="address",
            expected="127.0.0.1, or the one private address that the proxies use",
        )
    return parsed.is_loopback


def chain_name(ports: Sequence[int], allowed: Iterable[str]) -> str:
    """The name of the chain, which holds a hash of its rules: a table with that chain is up to date."""
    seen = ",".join([*map(str, ports), *_sorted(allowed)])
    return "input_" + hashlib.sha256(seen.encode()).hexdigest()[:12]


def rules(app: str, ports: Sequence[int], allowed: Iterable[str]) -> str:
    """A ruleset that replaces the application's own table at once and touches no other.

    Connections to ``ports`` come from this host or from the addresses ``allowed``, or are refused.
    """
    table, listed = table_name(app), ", ".join(map(str, ports))
    addresses = _sorted(allowed)
    admitted = [
        f"        tcp dport @ports {family} saddr {{ {', '.join(members)} }} accept"
        for family, version in (("ip", 4), ("ip6", 6))
        if (members := [each for each in addresses if ipaddress.ip_address(each).version == version])
    ]
    return "\n".join(
        [
            f"# Written by greenlight.deploy for {app}; changes are overwritten.",
            f"table inet {table}",
            f"delete table inet {table}",
            f"table inet {table} {{",
            "    set ports {",
            "        type inet_service",
            f"        elements = {{ {listed} }}",
            "    }",
            f"    chain {chain_name(ports, addresses)} {{",
            "        type filter hook input priority -5; policy accept;",
            '        tcp dport @ports iifname "lo" accept',
            *admitted,
            "        tcp dport @ports counter reject with tcp reset",
            "    }",
            "}",
            "",
        ]
    )


def _sorted(addresses: Iterable[str]) -> list[str]:
    parsed = {_parse(address, "proxies") for address in addresses}
    return [str(address) for address in sorted(parsed, key=lambda each: (each.version, int(each)))]


def _parse(address: str, where: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        raise InvalidInput(f"{address!r} is not an IP address", where=where, expected="an IP address") from None
