# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A WebSocket client: handshake checked, fragments joined, pings answered, close codes told apart, no second try."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections import deque
from typing import cast

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import (
    ProbeError,
    WebSocketAnswer,
    printable,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_message import (
    Headers,
    ResponseReader,
    render_request,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.transport import (
    open_connection,
    reason,
    run_async,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.websocket_frames import (
    ABNORMAL,
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Event,
    FrameReader,
    close_code,
    close_payload,
    encode_frame,
    handshake_problem,
)

TIMEOUT = 5.0
PROTOCOL_ERROR = 1002


class WebSocket(asyncio.Protocol):
    """One connection. Made by :func:`connect`; ``headers`` and ``status`` are those of the handshake's answer.

    ``code`` is 0 while it is open, then the server's close code: 1005 for none, 1006 for a cut without a close frame.
    """

    def __init__(self, request: bytes, key: str) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.code = 0
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._key = key
        self._head: ResponseReader | None = ResponseReader("GET")
        self._frames = FrameReader()
        self._messages: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._pong: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._received_code = 0
        self._cause = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        try:
            rest = data if self._head is None else self._shake(self._head, data)
            for event in self._frames.feed(rest) if rest else ():
                self._handle(event)
        except ProbeError as failure:
            self._break(failure)

    def _shake(self, head: ResponseReader, data: bytes) -> bytes:
        """Feed the handshake's answer; the bytes that follow it once it is whole, else nothing."""
        if not head.feed(data):
            return b""
        self._accept(head)
        return head.rest

    def _accept(self, head: ResponseReader) -> None:
        self._head, self.status, self.headers = None, head.status, head.headers
        problem = handshake_problem(head.status, head.headers, self._key)
        if problem:
            raise ProbeError("handshake", problem, status=head.status, first_bytes=printable(head.body))
        if not self.opened.done():
            self.opened.set_result(None)

    def _handle(self, event: Event) -> None:
        if event.opcode in (TEXT, BINARY):
            self._messages.append(event.payload)
            self._wake()
        elif event.opcode == PING:
            self._write(PONG, event.payload)
        elif event.opcode == PONG:
            if self._pong is not None and not self._pong.done():
                self._pong.set_result(None)
        elif not self._received_code:
            self._received_code = close_code(event.payload)
            self._write(CLOSE, event.payload[:2])
            self._end()

    def _break(self, failure: ProbeError) -> None:
        """The server broke the protocol: tell it, hang up, let everybody who waits know."""
        self._cause = failure.what
        if self.opened.done():
            self._write(CLOSE, close_payload(PROTOCOL_ERROR))
        else:
            self.opened.set_exception(failure)
        self._end()

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.code = self._received_code or ABNORMAL
        if not self._cause and exc is not None:
            self._cause = reason(exc)
        if self._head is not None and self._head.finish():
            try:
                self._accept(self._head)
            except ProbeError as failure:
                self._fail_opening(failure)
        self._fail_opening(ProbeError("closed", "connection closed during the handshake"))
        self._closed.set_result(None)
        self._wake()
        if self._pong is not None and not self._pong.done():
            self._pong.set_exception(self._closed_failure())

    def _fail_opening(self, failure: ProbeError) -> None:
        if not self.opened.done():
            self.opened.set_exception(failure)

    def _closed_failure(self) -> ProbeError:
        how = f" ({self._cause})" if self._cause else ""
        return ProbeError("closed", f"WebSocket closed with code {self.code}{how}", status=self.status)

    def _write(self, opcode: int, payload: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(encode_frame(opcode, payload, os.urandom(4)))

    def send(self, message: str) -> None:
        """Queue a text message. Raises ProbeError (``closed``) on a connection that is known to be closed."""
        if self.code:
            raise self._closed_failure()
        self._write(TEXT, message.encode())

    async def receive(self, timeout: float) -> str:
        """The next message. Raises ProbeError: ``timeout``, or ``closed`` once nothing is left to read."""
        if not self._messages and not self.code:
            self._waiter = asyncio.get_running_loop().create_future()
            timer = asyncio.get_running_loop().call_later(timeout, self._wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
                self._waiter = None
        if self._messages:
            return self._messages.popleft().decode("utf-8", "replace")
        if self.code:
            raise self._closed_failure()
        raise ProbeError("timeout", f"no message within {timeout:.1f} s", status=self.status)

    async def ping(self, timeout: float = TIMEOUT) -> float:
        """Seconds until the pong. Raises ProbeError (``timeout``, ``closed``)."""
        if self.code:
            raise self._closed_failure()
        start = time.perf_counter()
        self._pong = asyncio.get_running_loop().create_future()
        self._write(PING, b"greenlight")
        try:
            await asyncio.wait_for(self._pong, timeout)
        except asyncio.TimeoutError as error:
            raise ProbeError("timeout", f"no pong within {timeout:.1f} s", status=self.status) from error
        finally:
            self._pong = None
        return time.perf_counter() - start

    async def close(self, code: int = 1000, timeout: float = TIMEOUT) -> int:
        """Say goodbye, wait for the server's, return its code (1006 when none came within ``timeout`` seconds)."""
        self._write(CLOSE, close_payload(code))
        await asyncio.wait([self._closed], timeout=timeout)
        self.abort()
        return self.code or ABNORMAL

    def abort(self) -> None:
        """Drop the connection without a close frame."""
        if self._transport is not None:
            self._transport.abort()


def _handshake(endpoint: Endpoint, path: str, headers: Headers, key: str) -> bytes:
    own = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", key),
    ]
    return render_request("GET", path, endpoint.host, [*own, *endpoint.headers, *headers])


async def connect(endpoint: Endpoint, path: str, headers: Headers = (), timeout: float = TIMEOUT) -> WebSocket:
    """Connect and shake hands within ``timeout`` seconds. Raises ProbeError, its ``status`` the server's if any."""
    end = time.perf_counter() + timeout
    key = base64.b64encode(os.urandom(16)).decode()
    request = _handshake(endpoint, path, headers, key)
    socket = await open_connection(endpoint, lambda: WebSocket(request, key), timeout)
    try:
        await asyncio.wait_for(socket.opened, max(0.001, end - time.perf_counter()))
    except asyncio.TimeoutError as error:
        raise ProbeError("timeout", f"no handshake within {timeout:.1f} s") from error
    finally:
        if not socket.opened.done() or socket.opened.cancelled() or socket.opened.exception():
            socket.abort()
    return socket


async def try_websocket(
    endpoint: Endpoint, path: str, *, headers: Headers = (), timeout: float = TIMEOUT, first_message: bool = True
) -> WebSocketAnswer:
    """Handshake, the first message if it is wanted, clean close. Never raises for a network fault."""
    start = time.perf_counter()
    try:
        socket = await connect(endpoint, path, headers, timeout)
    except ProbeError as failure:
        return _failed(failure, time.perf_counter() - start)
    try:
        message = await socket.receive(timeout) if first_message else ""
        latency = time.perf_counter() - start
        await socket.close(timeout=timeout)
        return WebSocketAnswer(socket.status, socket.headers, message, 0, latency)
    except ProbeError as failure:
        return _failed(failure, time.perf_counter() - start, socket.code)
    finally:
        socket.abort()


def _failed(failure: ProbeError, latency: float, code: int = 0) -> WebSocketAnswer:
    return WebSocketAnswer(
        status=failure.status,
        close_code=code,
        latency_s=latency,
        error=failure.what,
        kind=failure.kind,
        first_bytes=failure.first_bytes,
    )


def probe_websocket(
    endpoint: Endpoint, path: str, *, headers: Headers = (), timeout: float = TIMEOUT, first_message: bool = True
) -> WebSocketAnswer:
    """:func:`try_websocket` for code that is not asynchronous."""
    return run_async(try_websocket(endpoint, path, headers=headers, timeout=timeout, first_message=first_message))
