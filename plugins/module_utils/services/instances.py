# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services of an application as data: what runs, in how many instances, on which ports. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

COLOURS = ("blue", "green")
BACKLOG = 4096
"""Connections that wait to be accepted: Daphne's own 50 loses a fifth of 1,000 sockets that come back at once."""

PORT, ADDRESS = "{port}", "{address}"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class Service:
    """One service. ``argv`` may hold ``{port}``; its first word is looked up in the release's environment."""

    name: str
    argv: tuple[str, ...]
    instances: int
    ports: Mapping[str, int]
    probe: bool = True


@dataclass(frozen=True)
class Instance:
    """One process of a service: its systemd unit and the port that it listens on."""

    service: str
    unit: str
    port: int
    probe: bool = True


def parse_services(raw: Sequence[Mapping[str, Any]], address: str) -> tuple[Service, ...]:
    """The services in ``raw`` (as in ``greenlight_services``) listening on ``address``; :class:`InvalidInput`."""
    if not raw:
        raise InvalidInput("no service is described", where="services", expected="at least one")
    services = tuple(_service(each, address) for each in raw)
    _require_apart(services)
    return services


def template_name(app: str, service: str, colour: str) -> str:
    """The name of a service's template unit."""
    return f"{app}-{service}-{colour}@.service"


def instances_of(app: str, colour: str, services: Sequence[Service]) -> tuple[Instance, ...]:
    """Every instance of ``colour``, in the order of the services; an instance is named for its port."""
    return tuple(
        Instance(service.name, template_name(app, service.name, colour).replace("@", f"@{port}"), port, service.probe)
        for service in services
        for port in _ports(service, colour)
    )


def all_ports(services: Sequence[Service]) -> tuple[int, ...]:
    """The ports of both colours, in order."""
    return tuple(sorted(port for service in services for colour in COLOURS for port in _ports(service, colour)))


def _ports(service: Service, colour: str) -> range:
    first = service.ports[colour]
    return range(first, first + service.instances)


def _service(raw: Mapping[str, Any], address: str) -> Service:
    name = str(raw.get("name") or "")
    where = f"services[{name}]"
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} cannot be the name of a service", where="services", expected="a name such as web")
    runner = raw.get("runner") or "daphne"
    if runner not in _RUNNERS:
        raise InvalidInput(f"unknown runner {runner!r}", where=where, expected="one of " + ", ".join(sorted(_RUNNERS)))
    return Service(
        name=name,
        argv=tuple(_RUNNERS[runner](raw, address, where)),
        instances=_positive(raw.get("instances", 1), f"{where}.instances"),
        ports={colour: _port((raw.get("ports") or {}).get(colour), f"{where}.ports.{colour}") for colour in COLOURS},
        probe=raw.get("probe", True) is not False,
    )


def _daphne(raw: Mapping[str, Any], address: str, where: str) -> list[str]:
    kind, interface = ("tcp6", address.replace(":", r"\:")) if ":" in address else ("tcp", address)
    endpoint = f"{kind}:port={PORT}:interface={interface}:backlog={BACKLOG}"
    return ["daphne", "-e", endpoint, "--proxy-headers", *_words(raw, "arguments"), _application(raw, where)]


def _command(raw: Mapping[str, Any], address: str, where: str) -> list[str]:
    words = _words(raw, "command")
    if not words:
        raise InvalidInput("no command", where=f"{where}.command", expected=f"words, with {PORT} and {ADDRESS} in them")
    return [word.replace(ADDRESS, address) for word in words]


_RUNNERS: dict[str, Callable[[Mapping[str, Any], str, str], list[str]]] = {"command": _command, "daphne": _daphne}


def _words(raw: Mapping[str, Any], name: str) -> list[str]:
    return [str(word) for word in raw.get(name) or ()]


def _application(raw: Mapping[str, Any], where: str) -> str:
    application = str(raw.get("application") or "")
    if not re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", application):
        raise InvalidInput(f"{application!r} is no application", where=where, expected="package.module:attribute")
    return application


def _positive(value: Any, where: str) -> int:
    if not isinstance(value, int) or value < 1:
        raise InvalidInput(f"{value!r}", where=where, expected="a number from 1")
    return value


def _port(value: Any, where: str) -> int:
    if not isinstance(value, int) or not 1024 <= value <= 65535:
        raise InvalidInput(
            f"{value!r} is not a port for a service", where=where, expected="a number from 1024 to 65535"
        )
    return value


def _require_apart(services: Sequence[Service]) -> None:
    taken: dict[int, str] = {}
    for service, colour, port in _all(services):
        owner = taken.setdefault(port, f"{service.name} {colour}")
        if owner != f"{service.name} {colour}":
            raise InvalidInput(
                f"port {port} is also one of {owner}",
                where=f"services[{service.name}].ports.{colour}",
                expected="ports that no other instance has",
            )
    names = [service.name for service in services]
    if len(set(names)) < len(names):
        raise InvalidInput("two services have the same name", where="services", expected="a name for each")


def _all(services: Sequence[Service]) -> Iterator[tuple[Service, str, int]]:
    for service in services:
        for colour in COLOURS:
            for port in _ports(service, colour):
                yield service, colour, port
