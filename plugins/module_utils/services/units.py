# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of systemd units: what runs, as whom, and what it may not do. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import PORT, Service

DESCRIPTORS_LEAST = 65535
DESCRIPTORS_PER_CONNECTION = 4
NEVER_GIVE_UP = "0"
"""A database that is away for an hour must not leave the application dead when it comes back."""

HARDENING = {
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectControlGroups": "yes",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictSUIDSGID": "yes",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "RemoveIPC": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": "@system-service",
    "SystemCallErrorNumber": "EPERM",
    "UMask": "0077",
}

_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@+-]+")
_DIRECTIVE = re.compile(r"[A-Z][A-Za-z]+")


@dataclass(frozen=True)
class UnitOrder:
    """What all units of one colour have in common. ``stop_timeout`` is in seconds."""

    app: str
    colour: str
    user: str
    home: str
    environment_file: str
    connections: int
    stop_timeout: float
    firewall_unit: str = ""
    directives: Mapping[str, str] = field(default_factory=dict)


def marker(app: str, service: str, colour: str) -> str:
    """The first line of our units: by it we know our own."""
    return f"# Written by greenlight.deploy for {app} {service} {colour}; changes are overwritten."


def descriptors(connections: int) -> int:
    """The limit of open files for that many wanted sockets: never below what a busy server needs anyway."""
    return max(DESCRIPTORS_LEAST, DESCRIPTORS_PER_CONNECTION * connections)


def service_unit(order: UnitOrder, service: Service) -> str:
    """The template unit of ``service``; an instance's name is the port that it listens on."""
    after = " ".join(filter(None, ("network-online.target", order.firewall_unit)))
    directory = f"{order.home}/{order.colour}"
    unit = {
        "Description": f"{order.app} {service.name} ({order.colour}) on port %i",
        "Wants": after,
        "After": after,
        "StartLimitIntervalSec": NEVER_GIVE_UP,
    }
    run = {
        "Type": "exec",
        "User": order.user,
        "WorkingDirectory": directory,
        "EnvironmentFile": order.environment_file,
        "ExecStart": exec_line(service.argv, directory),
        "Restart": "always",
        "RestartSec": "2",
        "KillMode": "mixed",
        "KillSignal": "SIGTERM",
        "TimeoutStopSec": f"{order.stop_timeout:g}",
        "LimitNOFILE": str(descriptors(order.connections)),
        "SyslogIdentifier": f"{order.app}-{service.name}-{order.colour}",
        "StateDirectory": f"greenlight/{order.app}/application",
        "StateDirectoryMode": "0750",
        "RuntimeDirectory": order.app,
        "RuntimeDirectoryMode": "0750",
        "RuntimeDirectoryPreserve": "yes",
        **HARDENING,
        **_directives(order.directives),
    }
    own = {
        "GREENLIGHT_PORT": "%i",
        "HOME": f"/var/lib/greenlight/{order.app}/application",
        "PATH": f"{directory}/venv/bin:/usr/local/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
    }
    return "\n".join(
        [
            marker(order.app, service.name, order.colour),
            "[Unit]",
            *_lines(unit),
            "",
            "[Service]",
            *_lines(run),
            *(f'Environment="{name}={value}"' for name, value in own.items()),
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        ]
    )


def firewall_unit(app: str, rules: str) -> str:
    """The unit that loads the rules file at boot, and again when the user's own ruleset is loaded anew."""
    table = table_name(app)
    unit = {
        "Description": f"Only the proxies reach the instances of {app}",
        "DefaultDependencies": "no",
        "Wants": "network-pre.target",
        "Before": "network-pre.target shutdown.target",
        "Conflicts": "shutdown.target",
        "After": "nftables.service local-fs.target",
        "PartOf": "nftables.service",
        "ReloadPropagatedFrom": "nftables.service",
    }
    load = f"/usr/sbin/nft --file {rules}"
    run = {
        "Type": "oneshot",
        "RemainAfterExit": "yes",
        "ExecStart": load,
        "ExecReload": load,
        "ExecStop": f"-/usr/sbin/nft delete table inet {table}",
    }
    return "\n".join(
        [
            marker(app, "firewall", "both"),
            "[Unit]",
            *_lines(unit),
            "",
            "[Service]",
            *_lines(run),
            "",
            "[Install]",
            "WantedBy=multi-user.target nftables.service",
            "",
        ]
    )


def firewall_unit_name(app: str) -> str:
    """The name of the unit that loads the rules of ``app``."""
    return f"greenlight-{app}-firewall.service"


def table_name(app: str) -> str:
    """The name of the application's own nftables table."""
    return "greenlight_" + app.replace("-", "_")


def exec_line(argv: tuple[str, ...], directory: str) -> str:
    """``argv`` as systemd reads it; a first word that is no path is one of the release's programs."""
    program = argv[0] if argv[0].startswith("/") else f"{directory}/venv/bin/{argv[0]}"
    return " ".join(_word(word) for word in (program, *argv[1:]))


def _escaped(value: str) -> str:
    """``value`` for use inside the double quotes of a unit file, where it means exactly itself."""
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise InvalidInput("a line break or control character", where="service", expected="one line")
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def _word(word: str) -> str:
    plain = _PLAIN.fullmatch(word.replace(PORT, "0"))
    text = word if plain else '"' + _escaped(word).replace("$", "$$") + '"'
    return text.replace(PORT, "%i")


def _directives(given: Mapping[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if not _DIRECTIVE.fullmatch(name) or "\n" in value:
            raise InvalidInput(
                f"{name!r} is no directive",
                where="directives",
                expected="a name and one line, such as MemoryMax: 512M",
            )
    return dict(given)


def _lines(directives: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in directives.items()]
