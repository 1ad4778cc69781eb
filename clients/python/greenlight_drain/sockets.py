# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The open WebSockets of this process, and how one of them leaves."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

REASON = "moved: connect again"
# For so many seconds after its moment a socket still gets what its client had sent before.
PATIENCE = 1.0
CHANCE = random.SystemRandom()


class OpenSocket:
    """One WebSocket between the server and the application.

    Its moment to leave acts when the application waits for the next message: it is told ``websocket.disconnect``, may
    go on sending what it owes, and the close frame follows when it has returned, or ``grace`` seconds later.
    """

    def __init__(self, name: str, receive: Receive, send: Send, grace: float) -> None:
        self.name = name
        self.is_asked = False
        self.is_drained = False
        self._loop = asyncio.get_running_loop()
        self._server_receive = receive
        self._server_send = send
        self._grace = grace
        self._code = 0
        self._pending: asyncio.Future[Message] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._leave: asyncio.Future[None] = self._loop.create_future()
        self._due = 0.0
        self._is_accepted = False
        self._is_told = False
        self._is_closed = False
        self._closing: asyncio.Future[None] | None = None

    async def run(self, application: Application, scope: Scope) -> None:
        """Serve the socket until the application has returned."""
        try:
            await application(scope, self.receive, self.send)
        finally:
            if self._is_told:
                await self._close()
            for waiting in (self._timer, self._pending):
                if waiting:
                    waiting.cancel()

    def ask(self, delay: float, code: int) -> None:
        """Leave in ``delay`` seconds; asked twice, at the earlier of the two moments."""
        self.is_asked = True
        due = self._loop.time() + delay
        if self._is_told or (self._code and self._due <= due):
            return
        self._code, self._due = code, due
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._leave_if_due)

    def _leave_if_due(self) -> None:
        """A socket whose handshake is still going on leaves after it."""
        is_due = self._code and self._due <= self._loop.time()
        if is_due and self._is_accepted and not self._leave.done():
            self._leave.set_result(None)

    async def receive(self) -> Message:
        """The next message of the client; a cancelled call loses none."""
        if not self._is_told and await self._must_leave():
            self._is_told = True
            self._timer = self._loop.call_later(self._grace, self._close_late)
            return {"type": "websocket.disconnect", "code": self._code, "reason": REASON}
        message = await self._next()
        while self._is_told and message["type"] != "websocket.disconnect":
            message = await self._next()
        return message

    async def _must_leave(self) -> bool:
        """Wait for a message or the moment to leave; what is there already goes before the moment, for a while."""
        pending = self._read()
        if self._leave.done():
            await asyncio.wait({pending}, timeout=0)
        else:
            either: set[asyncio.Future[Any]] = {pending, self._leave}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._leave.done():
            return False
        if not pending.done():
            return True
        is_over = self._loop.time() > self._due + PATIENCE
        return is_over and not self._is_gone()

    async def _next(self) -> Message:
        pending = self._read()
        await asyncio.wait({pending})
        self._pending = None
        return pending.result()

    def _read(self) -> asyncio.Future[Message]:
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._server_receive())
        return self._pending

    def _is_gone(self) -> bool:
        """Whether the server has already said that the client is gone."""
        pending = self._pending
        if pending is None or not pending.done() or pending.cancelled() or pending.exception():
            return False
        return bool(pending.result()["type"] == "websocket.disconnect")

    async def send(self, message: Message) -> None:
        """What the application sends; after the close nothing goes out any more."""
        if self._is_closed:
            return
        if self._is_told and message["type"] == "websocket.close":
            await self._close()
            return
        await self._server_send(message)
        if message["type"] == "websocket.accept":
            self._is_accepted = True
            self._leave_if_due()
        elif message["type"] == "websocket.close":
            self._is_closed = True

    def _close_late(self) -> None:
        self._closing = asyncio.ensure_future(self._close())

    async def _close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._is_gone():
            return
        try:
            await self._server_send({"type": "websocket.close", "code": self._code, "reason": REASON})
        except (OSError, RuntimeError):  # servers that raise when the client went in the same moment
            return
        self.is_drained = True


class Sockets:
    """All of them. ``choose(0, over)`` gives the seconds after which an asked one leaves."""

    def __init__(self, choose: Callable[[float, float], float] = CHANCE.uniform) -> None:
        self._choose = choose
        self._open: set[OpenSocket] = set()
        self._closed = 0
        self._by_themselves = 0

    async def serve(self, socket: OpenSocket, application: Application, scope: Scope) -> None:
        """Run ``application`` for ``socket``, which is open as long as that takes."""
        self._open.add(socket)
        try:
            await socket.run(application, scope)
        finally:
            self._open.discard(socket)
            if socket.is_drained:
                self._closed += 1
            elif socket.is_asked:
                self._by_themselves += 1

    def ask(self, names: Collection[str], over: float, code: int) -> int:
        """Ask the open sockets of the classes ``names`` to leave within ``over`` seconds; how many there are."""
        asked = [socket for socket in self._open if socket.name in names]
        for socket in asked:
            socket.ask(self._choose(0.0, over), code)
        return len(asked)

    def report(self) -> dict[str, Any]:
        """What is open now, by class, and how those that were asked have ended since the process began."""
        return {
            "open": len(self._open),
            "classes": dict(sorted(Counter(socket.name for socket in self._open).items())),
            "leaving": sum(socket.is_asked for socket in self._open),
            "closed": self._closed,
            "by_themselves": self._by_themselves,
        }
