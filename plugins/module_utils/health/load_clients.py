# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clients of a load: phones that ask over HTTP, and phones that sync items over a WebSocket.

The HTTP client asks once and counts. The WebSocket client does what the application's protocol asks of it: after a
close it connects again and sends what was not acknowledged, under the same id; both are counted.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import ProbeError, parse_json
from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_client import HttpConnection
from ansible_collections.greenlight.deploy.plugins.module_utils.health.tally import Tally
from ansible_collections.greenlight.deploy.plugins.module_utils.health.websocket_client import WebSocket, connect

SERVED_BY = "X-Greenlight-Served-By"
DEVICE = "X-Device-Id"
UNKNOWN = "none"
SILENT = "silent"


@dataclass(frozen=True)
class Plan:
    """What is asked and how often; times in seconds, ``rate`` in requests a second over all clients.

    ``jitter`` is the longest pause before a client connects again; ``patience`` bounds one request, one handshake and
    the wait for an acknowledgement, after which a socket counts as dead.
    """

    endpoint: Endpoint
    run: str
    rate: float = 200.0
    sockets: int = 300
    interval: float = 1.0
    jitter: float = 0.25
    patience: float = 10.0
    gets: tuple[str, ...] = ("/health", "/api/v1/time")
    post: str = "/api/v1/sync/items"
    websocket: str = "/ws/sync"
    stats: str = "/api/v1/sync/stats"

    @property
    def phones(self) -> int:
        """How many HTTP clients share the rate: each asks about twice a second, and each asks everything in turn."""
        count = max(1, round(self.rate / 2))
        while math.gcd(count, self.kinds) != 1:
            count += 1
        return count

    @property
    def kinds(self) -> int:
        """How many different requests there are."""
        return len(self.gets) + 1


@dataclass
class Shared:
    """What all clients of one load share: the plan, the counts, the clock.

    ``working``: new items are still made. ``over``: leave at the next step; a cancelled task alone is not enough, for
    Python 3.11's wait_for forgets a cancellation that comes in the moment in which it fails.
    """

    plan: Plan
    tally: Tally
    clock: Callable[[], float]
    working: bool = True
    over: bool = False


def item(identity: str) -> dict[str, object]:
    """A sync item as the application takes it; the same identity gives the same item."""
    return {"id": identity, "domain": "journal", "payload": {"n": int(identity.rpartition("-")[2])}}


def colour_of(served_by: str) -> str:
    """The colour in ``<colour>/<release>/<version>``."""
    return served_by.partition("/")[0] or UNKNOWN


class Phone:
    """One HTTP client with its device id and its keep-alive connections; a slow answer does not delay the next one."""

    def __init__(self, shared: Shared, number: int) -> None:
        self._shared = shared
        self._name = f"{shared.plan.run}-h{number}"
        self._idle: list[HttpConnection] = []

    async def ask(self, number: int, due: float) -> None:
        """Request ``number``, which should have begun at ``due``: its latency is counted from there."""
        plan, tally = self._shared.plan, self._shared.tally
        kind = number % plan.kinds
        posts = kind == len(plan.gets)
        identity = f"{self._name}-{number}"
        connection = self._idle.pop() if self._idle else HttpConnection(plan.endpoint)
        headers = [(DEVICE, self._name)]
        if posts:
            tally.sent(identity, self._shared.clock())
            body = json.dumps(item(identity)).encode()
            headers.append(("Content-Type", "application/json"))
            answer = await connection.request("POST", plan.post, headers, body, plan.patience)
        else:
            answer = await connection.request("GET", plan.gets[kind], headers, timeout=plan.patience)
        self._idle.append(connection)
        now = self._shared.clock()
        if not answer.ok:
            tally.failed(now, answer.kind or str(answer.status))
            tally.gave_up(identity)
            return
        tally.answered(now, now - due, colour_of(answer.header(SERVED_BY)))
        if posts:
            tally.acked(identity, now, duplicate=answer.status == 200)

    def close(self) -> None:
        """Drop the connections."""
        for connection in self._idle:
            connection.close()


class SyncClient:
    """One WebSocket client: an item each interval, its acknowledgement, and back again after a close."""

    def __init__(self, shared: Shared, number: int) -> None:
        self._shared = shared
        self._name = f"{shared.plan.run}-w{number}"
        self._made = 0
        self._next = 0.0
        self._unacked: dict[str, float] = {}
        self._refused: list[str] = []
        self.closed_at: float | None = None
        """When the close was seen that has not been followed by an answer yet."""

    async def run(self, delay: float) -> None:
        """Connect after ``delay`` seconds, work until the load ends and everything is acknowledged or is given up."""
        await asyncio.sleep(delay)
        self._next = self._shared.clock()
        while not self._shared.over:
            socket = await self._connect()
            if socket is not None:
                await self._serve(*socket)
            await asyncio.sleep(random.random() * self._shared.plan.jitter)  # noqa: S311 - spreads load, guards nothing

    async def _connect(self) -> tuple[WebSocket, str] | None:
        """A socket that has said hello and the colour it named, None when that failed (and was counted)."""
        plan = self._shared.plan
        try:
            socket = await connect(plan.endpoint, plan.websocket, [(DEVICE, self._name)], plan.patience)
        except ProbeError as failure:
            self._shared.tally.failed(self._shared.clock(), f"handshake {failure.status or failure.kind}")
            return None
        try:
            hello = parse_json(await socket.receive(plan.patience))
        except ProbeError as failure:
            socket.abort()
            self._shared.tally.failed(self._shared.clock(), f"hello {socket.code or failure.kind}")
            return None
        colour = str(hello.get("colour", UNKNOWN)) if isinstance(hello, dict) else UNKNOWN
        return socket, colour

    async def _serve(self, socket: WebSocket, colour: str) -> None:
        """One socket's life: to its close, which is counted, or to the end of the load."""
        tally = self._shared.tally
        tally.opened(colour)
        code: int | str = 0
        try:
            code = await self._session(socket)
        except asyncio.CancelledError:
            if not self._shared.over:
                raise
        if self._shared.over:
            tally.left(colour)
            await socket.close(timeout=1.0)
            return
        socket.abort()
        tally.closed(colour, code)
        if self.closed_at is None:
            self.closed_at = self._shared.clock()

    async def _session(self, socket: WebSocket) -> int | str:
        """Send and receive until the close; its code."""
        try:
            self._greet(socket)
            while not self._shared.over:
                if self._is_silent():
                    return SILENT
                self._send_due(socket)
                await self._receive(socket)
        except ProbeError:
            pass
        return socket.code

    def _greet(self, socket: WebSocket) -> None:
        """First words on a new socket: what was not acknowledged, or a ping to see that somebody answers."""
        self._refused.clear()
        for identity in list(self._unacked):
            self._send(socket, identity)
        if self.closed_at is not None and not self._unacked:
            socket.send('{"type":"ping","t":0}')

    def _is_silent(self) -> bool:
        oldest = next(iter(self._unacked.values()), None)
        return oldest is not None and self._shared.clock() - oldest > self._shared.plan.patience

    def _send_due(self, socket: WebSocket) -> None:
        for identity in self._refused:
            self._send(socket, identity)
        self._refused.clear()
        while self._shared.working and self._shared.clock() >= self._next:
            self._made += 1
            self._next += self._shared.plan.interval
            self._send(socket, f"{self._name}-{self._made}")

    def _send(self, socket: WebSocket, identity: str) -> None:
        now = self._shared.clock()
        self._unacked[identity] = now
        socket.send(json.dumps({"type": "sync", **item(identity)}))
        self._shared.tally.sent(identity, now)

    async def _receive(self, socket: WebSocket) -> None:
        """Take one message, or return when the next item is due."""
        wait = self._next - self._shared.clock() if self._shared.working else self._shared.plan.interval
        try:
            message = parse_json(await socket.receive(max(0.001, wait)))
        except ProbeError as failure:
            if failure.kind == "timeout":
                return
            raise
        if isinstance(message, dict):
            self._take(message)

    def _take(self, message: dict[str, object]) -> None:
        now = self._shared.clock()
        kind, identity = message.get("type"), str(message.get("id"))
        if kind == "ack":
            self._unacked.pop(identity, None)
            self._shared.tally.acked(identity, now, duplicate=bool(message.get("duplicate")))
        elif kind == "error" and identity in self._unacked:
            self._refused.append(identity)
        if kind in ("ack", "pong") and self.closed_at is not None:
            self._shared.tally.back(now - self.closed_at)
            self.closed_at = None
