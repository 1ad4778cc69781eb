# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import json

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import ProbeError
from ansible_collections.greenlight.deploy.plugins.module_utils.health.transport import run_async
from ansible_collections.greenlight.deploy.plugins.module_utils.health.websocket_client import (
    connect,
    try_websocket,
)
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.health.server import (
    answer,
    frame,
    read_frame,
    read_request,
    serving,
    shake,
)


def against(talk, use, **endpoint):
    async def main():
        async with serving(talk, **endpoint) as where:
            return await use(where)

    return run_async(main())


def after_shake(*frames: bytes, stay: bool = True):
    """A server that accepts, sends these frames, and then answers a close."""

    async def talk(reader, writer):
        await shake(reader, writer)
        for data in frames:
            writer.write(data)
        while stay:
            opcode, payload = await read_frame(reader)
            if opcode == 8:
                writer.write(frame(8, payload))
                return

    return talk


def test_handshake_hello_and_clean_close():
    hello = json.dumps({"type": "hello"}).encode()
    result = against(after_shake(frame(1, hello)), lambda where: try_websocket(where, "/ws"))
    assert (result.ok, result.status, result.json()) == (True, 101, {"type": "hello"})
    assert result.headers["x-greenlight-served-by"] == "blue/r1/v1"


def test_a_frame_in_the_same_packet_as_the_handshake_is_not_lost():
    async def talk(reader, writer):
        writer.transport.set_write_buffer_limits(high=1 << 20)
        await shake(reader, writer)
        writer.write(frame(1, b"one", final=False) + frame(9, b"p") + frame(0, b"two"))
        assert await read_frame(reader) == (10, b"p")
        writer.write(frame(8, b"\x0f\xac"))
        assert await read_frame(reader) == (8, b"\x0f\xac")

    async def use(where):
        socket = await connect(where, "/ws")
        message = await socket.receive(1)
        with pytest.raises(ProbeError, match="closed with code 4012"):
            await socket.receive(1)
        with pytest.raises(ProbeError, match="4012"):
            socket.send("late")
        return message, socket.code

    assert against(talk, use) == ("onetwo", 4012)


@pytest.mark.parametrize(("last", "code"), [(b"", 1006), (frame(8), 1005), (frame(8, b"\x03\xf3"), 1011)])
def test_how_it_ended_is_told_apart(last, code):
    async def use(where):
        socket = await connect(where, "/ws")
        with pytest.raises(ProbeError) as caught:
            await socket.receive(1)
        return caught.value.kind, socket.code

    assert against(after_shake(last, stay=False), use) == ("closed", code)


def test_a_handshake_that_is_refused_shows_status_and_body():
    async def talk(reader, writer):
        await read_request(reader)
        writer.write(answer(b"no such route", "404 Not Found"))

    result = against(talk, lambda where: try_websocket(where, "/ws"))
    assert (result.status, result.kind, result.first_bytes) == (404, "handshake", "no such route")
    assert "404" in result.error


@pytest.mark.parametrize(
    ("sent", "kind"),
    [(b"", "closed"), (b"HTTP/1.1 403 Forbidden\r\n\r\nshort", "handshake"), (b"SSH-2\r\n\r\n", "protocol")],
)
def test_a_connection_closed_during_the_handshake(sent, kind):
    async def talk(reader, writer):
        await read_request(reader)
        writer.write(sent)

    assert against(talk, lambda where: try_websocket(where, "/ws")).kind == kind


def test_a_server_that_accepts_and_stays_silent_runs_out_of_time():
    result = against(after_shake(), lambda where: try_websocket(where, "/ws", timeout=0.05))
    assert (result.ok, result.kind, result.status) == (False, "timeout", 101)


def test_a_server_that_never_shakes_hands_runs_out_of_time():
    async def talk(reader, writer):
        await reader.read()

    result = against(talk, lambda where: try_websocket(where, "/ws", timeout=0.05))
    assert (result.kind, result.error) == ("timeout", "no handshake within 0.1 s")


def test_ping_waits_for_the_pong():
    async def talk(reader, writer):
        await shake(reader, writer)
        opcode, payload = await read_frame(reader)
        assert opcode == 9
        writer.write(frame(10, payload))
        await reader.read()

    async def use(where):
        socket = await connect(where, "/ws")
        seconds = await socket.ping()
        socket.abort()
        return seconds

    assert against(talk, use) >= 0


def test_ping_fails_when_the_socket_is_cut():
    async def talk(reader, writer):
        await shake(reader, writer)
        await read_frame(reader)

    async def use(where):
        socket = await connect(where, "/ws")
        with pytest.raises(ProbeError, match="1006"):
            await socket.ping()

    against(talk, use)


def test_a_broken_frame_is_answered_with_1002():
    seen = []

    async def talk(reader, writer):
        await shake(reader, writer)
        writer.write(b"\x83\x00")
        seen.append(await read_frame(reader))

    async def use(where):
        socket = await connect(where, "/ws")
        with pytest.raises(ProbeError, match="unknown kind"):
            await socket.receive(1)
        await asyncio.sleep(0)

    against(talk, use)
    assert seen == [(8, b"\x03\xea")]


def test_a_close_that_is_not_answered_counts_as_cut():
    async def talk(reader, writer):
        await shake(reader, writer)
        await reader.read()

    async def use(where):
        socket = await connect(where, "/ws")
        return await socket.close(timeout=0.05)

    assert against(talk, use) == 1006
