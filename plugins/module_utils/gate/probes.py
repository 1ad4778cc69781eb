# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Synthetic clients: what is asked of one colour through the proxy when its clients alone do not say enough."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures, bucket
from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_client import ask
from ansible_collections.greenlight.deploy.plugins.module_utils.health.transport import run_async
from ansible_collections.greenlight.deploy.plugins.module_utils.health.websocket_client import try_websocket

AT_ONCE = 10
SERVED_BY = "X-Greenlight-Served-By"


@dataclass(frozen=True)
class Probe:
    """How one probe went; no ``problem`` means well."""

    name: str
    problem: str
    seconds: float


@dataclass(frozen=True)
class Probed:
    """``problems`` are those of the look at every path, ``figures`` count that look and all further probes."""

    figures: Figures
    problems: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return {**self.figures.as_dict(), "problems": list(self.problems)}


@dataclass(frozen=True)
class Prober:
    """Asks ``endpoint`` as a tester. ``health`` gives the paths (path, readiness, websocket; an empty one is left out);
    ``served_by`` is what X-Greenlight-Served-By must begin with where the application says it; ``timeout`` is for each
    probe, in seconds."""

    endpoint: Endpoint
    health: Mapping[str, str]
    served_by: str
    timeout: float

    def probe(self, requests: int, sockets: int) -> Probed:
        """Look at every path once, then send at least so many requests and handshakes in all.

        No more are sent where the look ran out of time: that is an answer too.
        """
        return run_async(self._probe(requests, sockets))

    async def _probe(self, requests: int, sockets: int) -> Probed:
        paths = [self.health[name] for name in ("path", "readiness") if self.health.get(name)]
        websocket = self.health.get("websocket", "")
        http = [self._request(path) for path in paths]
        look = await _all([*http, *([self._socket(websocket)] if websocket else [])])
        more: list[Probe] = []
        if all(probe.seconds < self.timeout for probe in look):
            further = [self._request(paths[number % len(paths)]) for number in range(requests - len(paths)) if paths]
            further += [self._socket(websocket) for _number in range(sockets - 1) if websocket]
            more = await _all(further)
        return Probed(
            figures_of_probes([*look, *more]), tuple(f"{one.name}: {one.problem}" for one in look if one.problem)
        )

    def _request(self, path: str) -> Callable[[], Awaitable[Probe]]:
        async def act() -> Probe:
            answer = await ask(self.endpoint, path, timeout=self.timeout)
            said = answer.header(SERVED_BY)
            problem = answer.error
            if not problem and not 200 <= answer.status < 300:
                problem = f"status {answer.status}, answer begins {answer.first_bytes!r}"
            elif not problem and said and not said.startswith(self.served_by):
                problem = f"{said} answered, expected {self.served_by}"
            return Probe(path, problem, answer.latency_s)

        return act

    def _socket(self, path: str) -> Callable[[], Awaitable[Probe]]:
        async def act() -> Probe:
            answer = await try_websocket(self.endpoint, path, timeout=self.timeout, first_message=False)
            return Probe(f"WebSocket {path}", answer.error, answer.latency_s)

        return act


async def _all(probes: Sequence[Callable[[], Awaitable[Probe]]]) -> list[Probe]:
    """Send them side by side, a few at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(probe: Callable[[], Awaitable[Probe]]) -> Probe:
        async with gate:
            return await probe()

    return list(await asyncio.gather(*(one(probe) for probe in probes)))


def figures_of_probes(probes: Sequence[Probe]) -> Figures:
    """Count probes as if clients had sent them."""
    sockets = [probe for probe in probes if probe.name.startswith("WebSocket ")]
    requests = [probe for probe in probes if not probe.name.startswith("WebSocket ")]
    return Figures(
        requests=len(requests),
        errors=sum(bool(probe.problem) for probe in requests),
        opened=sum(not probe.problem for probe in sockets),
        refused=sum(bool(probe.problem) for probe in sockets),
        latencies=Counter(bucket(round(probe.seconds * 1000)) for probe in requests),
    )
