# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs smoke checks against targets, all side by side under one deadline, and removes what they made."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import (
    HttpAnswer,
    ProbeError,
    parse_json,
    printable,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.checks import (
    Check,
    Exchange,
    HeaderPairs,
    HttpCheck,
    HttpRequest,
    WebSocketCheck,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_client import ask
from ansible_collections.greenlight.deploy.plugins.module_utils.health.transport import run_async
from ansible_collections.greenlight.deploy.plugins.module_utils.health.verdict import (
    fill,
    header_problems,
    http_problems,
    json_problem,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.websocket_client import WebSocket, connect

GOING_AWAY_WELL = 1000


@dataclass(frozen=True)
class Target:
    """One place that all checks are run against, and its name for people."""

    endpoint: Endpoint
    label: str


@dataclass
class CheckVerdict:
    """How one check went at one target; no ``problems`` means that it passed. ``latency_ms`` is the first answer's."""

    name: str
    request: str
    problems: list[str] = field(default_factory=list)
    status: int = 0
    latency_ms: float = 0.0
    seconds: float = 0.0
    first_bytes: str = ""

    @property
    def ok(self) -> bool:
        """Whether the check passed."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """For the module's result."""
        return {
            "name": self.name,
            "ok": self.ok,
            "request": self.request,
            "problems": self.problems,
            "status": self.status,
            "latency_ms": round(self.latency_ms, 1),
            "seconds": round(self.seconds, 3),
            "first_bytes": self.first_bytes,
        }

    def describe(self) -> str:
        """One line for people; a failure shows request, status and what came."""
        if self.ok:
            return f"{self.name}: ok in {self.latency_ms:.0f} ms"
        came = f", answer begins {self.first_bytes!r}" if self.first_bytes else ""
        status = f" [status {self.status}]" if self.status else ""
        return f"{self.name}: {'; '.join(self.problems)} ({self.request}{status}{came})"


@dataclass(frozen=True)
class TargetVerdict:
    """All checks of one target, in the order of the list."""

    label: str
    checks: tuple[CheckVerdict, ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return all(check.ok for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """For the module's result."""
        return {"label": self.label, "ok": self.ok, "checks": [check.as_dict() for check in self.checks]}


def run_smoke(
    targets: Sequence[Target], checks: Sequence[Check], *, deadline: float, unique: str, wanted: HeaderPairs = ()
) -> list[TargetVerdict]:
    """Run every check at every target. ``deadline`` seconds bound the whole, ``unique`` makes ids of this run its own.

    ``wanted`` are headers that every answer must carry.
    """
    return run_async(_run(targets, checks, deadline, unique, wanted))


async def _run(
    targets: Sequence[Target], checks: Sequence[Check], deadline: float, unique: str, wanted: HeaderPairs
) -> list[TargetVerdict]:
    runs = [
        [_Run(target.endpoint, check, f"{unique}-{place}-{number}", wanted) for number, check in enumerate(checks)]
        for place, target in enumerate(targets)
    ]
    tasks = [asyncio.ensure_future(run.act()) for row in runs for run in row]
    if tasks:
        _done, late = await asyncio.wait(tasks, timeout=deadline)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [
        TargetVerdict(target.label, tuple(run.verdict_by(deadline) for run in row))
        for target, row in zip(targets, runs, strict=True)
    ]


class _Run:
    """One check at one target."""

    def __init__(self, endpoint: Endpoint, check: Check, unique: str, wanted: HeaderPairs) -> None:
        self.endpoint = endpoint
        self.check = check
        self.unique = unique
        self.wanted = wanted
        if isinstance(check, HttpCheck):
            request = f"{check.request.method} {endpoint.url(check.request.path)}"
        else:
            request = endpoint.url(check.path, websocket=True)
        self.verdict = CheckVerdict(check.name, f"{request} at {endpoint.label}")
        self.finished = False

    async def act(self) -> None:
        start = time.perf_counter()
        try:
            if isinstance(self.check, HttpCheck):
                await self._http(self.check)
            else:
                await self._websocket(self.check)
        except ProbeError as failure:
            self._note(failure)
        finally:
            self.verdict.seconds = time.perf_counter() - start
        self.finished = True

    def verdict_by(self, deadline: float) -> CheckVerdict:
        if not self.finished:
            self.verdict.problems.append(f"not finished within the deadline of {deadline:.0f} s")
        return self.verdict

    def _note(self, failure: ProbeError, doing: str = "") -> None:
        self.verdict.problems.append(f"{doing}: {failure.what}" if doing else failure.what)
        self.verdict.status = failure.status or self.verdict.status
        self.verdict.first_bytes = failure.first_bytes or self.verdict.first_bytes

    async def _ask(self, request: HttpRequest, timeout: float, answer: object = None) -> HttpAnswer:
        return await ask(
            self.endpoint,
            fill(request.path, self.unique, answer),
            method=request.method,
            headers=[(name, fill(value, self.unique, answer)) for name, value in request.headers],
            body=str(fill(request.body, self.unique, answer)).encode(),
            timeout=timeout,
        )

    async def _http(self, check: HttpCheck) -> None:
        answer = await self._ask(check.request, check.timeout)
        verdict = self.verdict
        verdict.status, verdict.latency_ms = answer.status, answer.latency_s * 1000
        verdict.first_bytes = answer.first_bytes
        verdict.problems += http_problems(check, answer, self.wanted, self.unique)
        if answer.ok:
            await self._clean(check.cleanup, check.timeout, answer.json())

    async def _clean(self, requests: Sequence[HttpRequest], timeout: float, answer: object = None) -> None:
        for request in requests:
            try:
                cleaned = await self._ask(request, timeout, answer)
            except KeyError as error:
                self.verdict.problems.append(f"cleanup {request.method} {request.path}: no {error.args[0]}")
                continue
            if not cleaned.ok and cleaned.status != 404:
                self.verdict.problems.append(f"cleanup {request.method} {request.path}: {cleaned.describe()}")

    async def _websocket(self, check: WebSocketCheck) -> None:
        start = time.perf_counter()
        socket = await self._connect(check)
        self.verdict.status = socket.status
        self.verdict.problems += header_problems(self.wanted, socket.headers)
        try:
            if check.hello is not None:
                await self._expect(socket, check.hello, "hello", check.timeout, first_only=True)
            self.verdict.latency_ms = (time.perf_counter() - start) * 1000
            await self._talk(socket, check)
            code = await socket.close(timeout=check.timeout)
            if code != GOING_AWAY_WELL:
                self.verdict.problems.append(f"close answered with code {code}, expected {GOING_AWAY_WELL}")
        finally:
            socket.abort()
            await self._clean(check.cleanup, check.timeout)

    async def _connect(self, check: WebSocketCheck) -> WebSocket:
        headers = [(name, fill(value, self.unique)) for name, value in check.headers]
        return await connect(self.endpoint, fill(check.path, self.unique), headers, check.timeout)

    async def _talk(self, socket: WebSocket, check: WebSocketCheck) -> None:
        if check.exchange is not None:
            await self._exchange(socket, check.exchange, check.timeout, self.unique)
        if check.broadcast is not None:
            await self._broadcast(socket, check, check.broadcast)
        if check.ping:
            await self._step("ping", lambda: socket.ping(check.timeout))
        if check.idle:
            await self._stay_silent(socket, check.idle)
            if check.exchange is not None:
                await self._exchange(socket, check.exchange, check.timeout, f"{self.unique}-later", "after the silence")
            elif check.ping:
                await self._step("ping after the silence", lambda: socket.ping(check.timeout))

    async def _step(self, doing: str, act: Callable[[], Awaitable[object]]) -> None:
        """Do something whose failure ends the check, saying what was being done."""
        try:
            await act()
        except ProbeError as failure:
            raise ProbeError(
                failure.kind, f"{doing}: {failure.what}", status=failure.status, first_bytes=failure.first_bytes
            ) from failure

    async def _exchange(
        self, socket: WebSocket, exchange: Exchange, timeout: float, unique: str, when: str = ""
    ) -> None:
        doing = f"message {when}".strip()

        async def act() -> None:
            socket.send(json.dumps(fill(exchange.send, unique)))
            await self._expect(socket, fill(exchange.expect, unique), doing, timeout)

        await self._step(doing, act)

    async def _broadcast(self, socket: WebSocket, check: WebSocketCheck, broadcast: Exchange) -> None:
        """What one socket sends must reach another one."""
        second = await self._connect(check)
        try:
            if check.hello is not None:
                await self._expect(second, check.hello, "hello of the second socket", check.timeout, first_only=True)

            async def act() -> None:
                socket.send(json.dumps(fill(broadcast.send, self.unique)))
                await self._expect(second, fill(broadcast.expect, self.unique), "broadcast", check.timeout)

            await self._step("broadcast", act)
        finally:
            await second.close(timeout=1.0)

    async def _expect(
        self, socket: WebSocket, expected: object, name: str, timeout: float, *, first_only: bool = False
    ) -> None:
        """Read until a message fits; the problem names the last one that did not."""
        end = time.perf_counter() + timeout
        problem = ""
        while True:
            try:
                message = await socket.receive(max(0.001, end - time.perf_counter()))
            except ProbeError as failure:
                if failure.kind == "timeout" and problem:
                    break
                raise
            problem = json_problem(expected, parse_json(message), name)
            if not problem:
                return
            self.verdict.first_bytes = printable(message.encode())
            if first_only:
                break
        raise ProbeError("protocol", problem, status=socket.status, first_bytes=self.verdict.first_bytes)

    async def _stay_silent(self, socket: WebSocket, seconds: float) -> None:
        """Say nothing for a while; the server must not close."""
        start = time.perf_counter()

        async def listen() -> None:
            while True:
                await socket.receive(max(0.001, start + seconds - time.perf_counter()))

        try:
            await listen()
        except ProbeError as failure:
            if failure.kind != "timeout":
                after = time.perf_counter() - start
                what = f"{failure.what} after {after:.1f} s of silence"
                raise ProbeError(failure.kind, what, status=failure.status) from failure
