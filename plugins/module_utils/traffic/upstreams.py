# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where each colour of the application listens, as the proxies see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import COLOURS, Colour

LOOPBACK = "127.0.0.1"
Upstreams = dict[Colour, tuple[str, ...]]


def app_address(host: str, address: str, proxies: Sequence[str]) -> str:
    """The address on which ``host`` serves: loopback when the only proxy is that same host, else ``address``."""
    return LOOPBACK if list(proxies) == [host] else address


def upstreams(
    apps: Mapping[str, str],
    proxies: Sequence[str],
    services: Sequence[Mapping[str, Any]],
    service: str = "",
    groups: Mapping[str, Sequence[str]] | None = None,
) -> Upstreams:
    """``{"blue": ("10.0.0.1:8101", ...), "green": (...)}`` of the service that answers the clients.

    ``apps`` gives the address of each application host; ``service`` is a name in ``services``, by default the first
    one that has ports. Instance i listens on ``ports[colour] + i``. ``groups`` has the hosts of a colour that does not
    run on all of them.
    """
    if not apps:
        raise InvalidInput("there is no application host", where="apps", expected="at least one host in the group apps")
    chosen = _service(services, service)
    addresses = {host: app_address(host, address, proxies) for host, address in apps.items()}
    return {
        colour: _listeners([addresses[host] for host in _hosts(apps, groups or {}, colour)], chosen, colour)
        for colour in COLOURS
    }


def _hosts(apps: Mapping[str, str], groups: Mapping[str, Sequence[str]], colour: Colour) -> list[str]:
    """The hosts that run ``colour``; all of them where it has none of its own."""
    own = groups.get(colour) or apps
    unknown = [host for host in own if host not in apps]
    if unknown:
        raise InvalidInput(f"{', '.join(unknown)} of {colour} is no application host", where="groups", expected="apps")
    return [host for host in apps if host in own]


def _service(services: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    for service in services:
        if service.get("ports") and name in ("", service.get("name")):
            return service
    raise InvalidInput(
        f"no service {name!r} with ports" if name else "no service has ports",
        where="services",
        expected="a service with ports for blue and green",
        do="give ports: {blue: 8101, green: 8201} to the service that answers the clients",
    )


def _listeners(addresses: Sequence[str], service: Mapping[str, Any], colour: Colour) -> tuple[str, ...]:
    first, instances = _port(service, colour), int(service.get("instances") or 1)
    return tuple(joined(address, first + index) for address in addresses for index in range(instances))


def _port(service: Mapping[str, Any], colour: Colour) -> int:
    try:
        port = int(service["ports"][colour])
    except (KeyError, TypeError, ValueError):
        port = 0
    if not 0 < port < 65536:
        raise InvalidInput(
            f"service {service.get('name')!r} has no valid port for {colour}",
            where="services",
            expected="a port from 1 to 65535",
        )
    return port


def joined(address: str, port: int) -> str:
    """``address:port``, IPv6 in brackets; :class:`InvalidInput` when the address is not an IP address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        raise InvalidInput(
            f"{address!r} is not an IP address",
            where="apps",
            expected="the IP address on which the application's host serves",
            do="set greenlight_address for that host",
        ) from None
    return f"[{parsed}]:{port}" if parsed.version == 6 else f"{parsed}:{port}"
