# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Synthetic clients: what is asked of one colour through the proxy when its clients alone do not say enough."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

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
class Looked:
    """One look at every path; ``late`` when a probe ran out of time."""

    figures: Figures
    problems: tuple[str, ...] = ()
    late: bool = False


@dataclass(frozen=True)
class Prober:
    """Asks ``endpoint`` as a tester.

    ``health`` gives the paths (path, readiness, websocket; an empty one is left out); ``served_by`` is what
    X-Greenlight-Served-By must begin with where the application says it; ``timeout`` is for each probe, in seconds.
    """

    endpoint: Endpoint
    health: Mapping[str, str]
    served_by: str
    timeout: float

    def look(self) -> Looked:
        """Ask at every path once."""
        probes = [self._request(path) for path in self._paths()]
        if self.health.get("websocket"):
            probes.append(self._socket())
        done = run_async(_all(probes))
        return Looked(
            figures_of_probes(done),
            tuple(f"{probe.name}: {probe.problem}" for probe in done if probe.problem),
            late=any(probe.seconds >= self.timeout for probe in done),
        )

    def further(self, requests: int, sockets: int) -> Figures:
        """Send so many requests and handshakes; none where there is no path for them."""
        paths = self._paths()
        probes = [self._request(paths[number % len(paths)]) for number in range(requests if paths else 0)]
        if self.health.get("websocket"):
            probes += [self._socket() for _number in range(sockets)]
        return figures_of_probes(run_async(_all(probes))) if probes else Figures()

    def _paths(self) -> list[str]:
        return [self.health[name] for name in ("path", "readiness") if self.health.get(name)]

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

    def _socket(self) -> Callable[[], Awaitable[Probe]]:
        path = self.health["websocket"]

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
