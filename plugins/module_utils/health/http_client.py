# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An HTTP/1.1 client that tells the truth: one request, one answer or one failure, never a second try of its own.

A keep-alive connection that the server is already seen to have closed is not used again; whatever happens after a
request was written counts. Redirects are answers, not something to follow.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import cast

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import HttpAnswer, ProbeError
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

TIMEOUT = 5.0
BODY_LIMIT = 65536


class _Wire(asyncio.Protocol):
    """One connection: at most one request at a time, answered through a future."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._reader: ResponseReader | None = None
        self._waiter: asyncio.Future[ResponseReader] | None = None

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing() and self._waiter is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def exchange(self, request: bytes, reader: ResponseReader) -> asyncio.Future[ResponseReader]:
        """Write a request; the future gives the reader once its response is whole."""
        self._reader, self._waiter = reader, asyncio.get_running_loop().create_future()
        waiter = self._waiter
        if self._transport is None:
            self._fail(ProbeError("closed", "connection closed as soon as it was made"))
        else:
            self._transport.write(request)
        return waiter

    def data_received(self, data: bytes) -> None:
        if self._reader is None:
            self.close()  # bytes that nobody asked for: a 408 of an idle connection, or a second answer
            return
        try:
            if self._reader.feed(data):
                self._finish(self._reader)
        except ProbeError as failure:
            self._fail(failure)

    def _finish(self, reader: ResponseReader) -> None:
        waiter = self._release()
        if not reader.keep_alive or reader.rest:
            self.close()
        if waiter is not None and not waiter.done():
            waiter.set_result(reader)

    def _fail(self, failure: ProbeError) -> None:
        waiter = self._release()
        self.close()
        if waiter is not None and not waiter.done():
            waiter.set_exception(failure)

    def _release(self) -> asyncio.Future[ResponseReader] | None:
        waiter, self._waiter, self._reader = self._waiter, None, None
        return waiter

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        reader = self._reader
        if reader is None:
            return
        if reader.finish():
            self._finish(reader)
            return
        how = f" ({reason(exc)})" if exc else ""
        when = "in the middle of the answer" if reader.started else "without an answer"
        self._fail(ProbeError("closed", f"connection closed {when}{how}", status=reader.status))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None


class HttpConnection:
    """A keep-alive connection to one endpoint; opened by the first request and again after it was closed.

    Requests on it are one after the other.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._wire: _Wire | None = None

    async def request(
        self,
        method: str,
        path: str,
        headers: Headers = (),
        body: bytes = b"",
        timeout: float = TIMEOUT,
        body_limit: int = BODY_LIMIT,
    ) -> HttpAnswer:
        """Ask once. ``timeout`` bounds the whole: connecting, sending, the last byte of the answer."""
        start = time.perf_counter()
        request = render_request(method, path, self.endpoint.host, [*self.endpoint.headers, *headers], body)
        try:
            reader = await self._exchange(request, ResponseReader(method, body_limit), start + timeout, timeout)
        except ProbeError as failure:
            self.close()
            return HttpAnswer(
                status=failure.status,
                body=failure.first_bytes.encode(),
                latency_s=time.perf_counter() - start,
                error=failure.what,
                kind=failure.kind,
            )
        return HttpAnswer(reader.status, reader.headers, reader.body, time.perf_counter() - start)

    async def _exchange(self, request: bytes, reader: ResponseReader, end: float, timeout: float) -> ResponseReader:
        if self._wire is None or not self._wire.usable:
            self._wire = await open_connection(self.endpoint, _Wire, timeout)
        waiter = self._wire.exchange(request, reader)
        timer = asyncio.get_running_loop().call_later(
            max(0.0, end - time.perf_counter()), _expire, waiter, reader, timeout
        )
        try:
            return await waiter
        finally:
            timer.cancel()

    def close(self) -> None:
        """Drop the connection, whatever it is doing."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None


def _expire(waiter: asyncio.Future[ResponseReader], reader: ResponseReader, timeout: float) -> None:
    if not waiter.done():
        what = "answer not complete" if reader.started else "no answer"
        waiter.set_exception(ProbeError("timeout", f"{what} within {timeout:.1f} s", status=reader.status))


async def ask(
    endpoint: Endpoint,
    path: str = "/",
    *,
    method: str = "GET",
    headers: Headers = (),
    body: bytes = b"",
    timeout: float = TIMEOUT,
    body_limit: int = BODY_LIMIT,
) -> HttpAnswer:
    """One request on a connection of its own."""
    connection = HttpConnection(endpoint)
    try:
        return await connection.request(method, path, [("Connection", "close"), *headers], body, timeout, body_limit)
    finally:
        connection.close()


def probe_http(
    endpoint: Endpoint,
    path: str = "/",
    *,
    method: str = "GET",
    headers: Headers = (),
    body: bytes = b"",
    timeout: float = TIMEOUT,
    body_limit: int = BODY_LIMIT,
) -> HttpAnswer:
    """One request on a connection of its own, for code that is not asynchronous. Never raises for a network fault."""
    return run_async(
        ask(endpoint, path, method=method, headers=headers, body=body, timeout=timeout, body_limit=body_limit)
    )


def probe_many(targets: Sequence[tuple[Endpoint, str]], timeout: float = TIMEOUT) -> list[HttpAnswer]:
    """GET each ``(endpoint, path)`` side by side; answers in the same order."""

    async def gather() -> list[HttpAnswer]:
        return await asyncio.gather(*(ask(endpoint, path, timeout=timeout) for endpoint, path in targets))

    return run_async(gather())
