# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scripted server on a free port of this machine, for clients that are tested on real sockets."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk, ssl=None, **endpoint):
    """Serve each connection with ``talk``; yields the Endpoint."""

    async def handle(reader, writer):
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=ssl)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Endpoint("127.0.0.1", port, tls=ssl is not None, **endpoint)
    finally:
        server.close()
        await server.wait_closed()


async def read_request(reader) -> tuple[str, dict[str, str], bytes]:
    """``(request line, headers, body)`` of the next request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return first, headers, await reader.readexactly(int(headers.get("content-length", 0)))


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A response with a length; ``Content_Type="x"`` becomes ``Content-Type: x``."""
    named = {"Content-Length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    return (
        f"HTTP/1.1 {status}\r\n".encode() + "".join(f"{k}: {v}\r\n" for k, v in named.items()).encode() + b"\r\n" + body
    )


def shake_with(headers: dict[str, str], writer) -> None:
    """Accept the WebSocket whose handshake had these headers."""
    key = headers["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"X-Greenlight-Served-By: blue/r1/v1\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


async def shake(reader, writer) -> None:
    """Accept a WebSocket."""
    _line, headers, _body = await read_request(reader)
    shake_with(headers, writer)


def frame(opcode: int, payload: bytes = b"", final: bool = True) -> bytes:
    """A server's frame, without a mask."""
    size = len(payload)
    length = bytes([size]) if size < 126 else bytes([126]) + size.to_bytes(2, "big")
    return bytes([(0x80 if final else 0) | opcode]) + length + payload


async def read_frame(reader) -> tuple[int, bytes]:
    """``(opcode, payload)`` of the client's next frame, which must be masked."""
    first, second = await reader.readexactly(2)
    assert second & 0x80, "a client's frame must be masked"
    size = second & 0x7F
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    key = await reader.readexactly(4)
    data = await reader.readexactly(size)
    return first & 0x0F, bytes(byte ^ key[at % 4] for at, byte in enumerate(data))
