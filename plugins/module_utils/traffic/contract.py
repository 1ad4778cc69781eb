# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks the instances of this host, side by side, by the drain contract that the application has installed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_client import ask
from ansible_collections.greenlight.deploy.plugins.module_utils.health.transport import run_async
from ansible_collections.greenlight.deploy.plugins.module_utils.services.environment import CONTROL_TOKEN, value_of
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.drain import Report, report_of

DRAIN, SOCKETS = "/.greenlight/drain", "/.greenlight/sockets"
HEADER = "X-Greenlight-Control"
SECONDS = 2.0
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "*": "127.0.0.1", "::": "::1"}  # noqa: S104 - what others listen on


@dataclass(frozen=True)
class Contract:
    """``addresses`` says by port where the instances listen."""

    addresses: Mapping[int, str]
    token: str = field(repr=False)

    @classmethod
    def of(cls, environment_file: Path, ports: Sequence[int], listening: Sequence[Listener]) -> Contract:
        """For those of ``ports`` that somebody listens on; the token is that of the colour's environment file."""
        found = {one.port: _EVERY_ADDRESS.get(one.address, one.address) for one in listening if one.port in ports}
        text = environment_file.read_text(encoding="utf-8") if environment_file.is_file() else ""
        return cls(found, value_of(text, CONTROL_TOKEN))

    def look(self, ports: Sequence[int]) -> list[Report]:
        """What the instances on ``ports`` have open."""
        return self._ask_all(ports, "GET", SOCKETS, b"")

    def drain(self, ports: Sequence[int], body: bytes) -> list[Report]:
        """Ask the instances on ``ports`` to close sockets; what they had open before."""
        return self._ask_all(ports, "POST", DRAIN, body)

    def _ask_all(self, ports: Sequence[int], method: str, path: str, body: bytes) -> list[Report]:
        async def gather() -> list[Report]:
            return await asyncio.gather(*(self._ask(port, method, path, body) for port in ports))

        return run_async(gather())

    async def _ask(self, port: int, method: str, path: str, body: bytes) -> Report:
        headers = [(HEADER, self.token), ("Content-Type", "application/json")]
        endpoint = Endpoint(self.addresses[port], port)
        answer = await ask(endpoint, path, method=method, headers=headers, body=body, timeout=SECONDS)
        return report_of(port, answer.status, answer.json(), answer.error)
