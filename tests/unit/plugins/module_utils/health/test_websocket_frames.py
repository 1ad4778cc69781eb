# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import ProbeError
from ansible_collections.greenlight.deploy.plugins.module_utils.health.websocket_frames import (
    BINARY,
    CLOSE,
    PING,
    TEXT,
    Event,
    FrameReader,
    accept_key,
    close_code,
    close_payload,
    encode_frame,
    handshake_problem,
    mask,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
GOOD = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}


def read(data: bytes, limit: int = 1000) -> list[Event]:
    return list(FrameReader(limit).feed(data))


def test_the_key_of_the_standard_has_the_answer_of_the_standard():
    assert accept_key(KEY) == GOOD["sec-websocket-accept"]
    assert handshake_problem(101, GOOD, KEY) == ""


@pytest.mark.parametrize(
    ("status", "change", "problem"),
    [
        (502, {}, "502"),
        (101, {"upgrade": "h2c"}, "without Upgrade"),
        (101, {"connection": "close"}, "without Upgrade"),
        (101, {"sec-websocket-accept": "x"}, "wrong Sec-WebSocket-Accept"),
        (101, {"sec-websocket-extensions": "permessage-deflate"}, "not asked for"),
    ],
)
def test_a_wrong_handshake_is_named(status, change, problem):
    assert problem in handshake_problem(status, {**GOOD, **change}, KEY)


def test_masking_twice_is_nothing():
    for size in (0, 1, 3, 4, 5, 1000):
        data = bytes(range(256)) * 4
        assert mask(mask(data[:size], b"\x01\x02\x03\x04"), b"\x01\x02\x03\x04") == data[:size]


def test_masking_is_by_byte_in_turn():
    assert mask(b"abcdef", b"\x00\x01\x02\x03") == b"acageg"


@pytest.mark.parametrize(("size", "head"), [(125, 2), (126, 4), (65535, 4), (65536, 10)])
def test_the_length_takes_as_few_bytes_as_it_can(size, head):
    frame = encode_frame(TEXT, b"x" * size, b"\0\0\0\0")
    assert len(frame) == head + 4 + size
    assert frame[0] == 0x81


def test_whole_messages_are_read_byte_by_byte():
    reader = FrameReader()
    data = b"\x81\x05hello" + b"\x82\x7e\x00\xc8" + b"y" * 200
    events = [event for byte in data for event in reader.feed(bytes([byte]))]
    assert events == [Event(TEXT, b"hello"), Event(BINARY, b"y" * 200)]


def test_fragments_are_joined_and_control_frames_may_come_between():
    data = b"\x01\x03hel" + b"\x89\x01p" + b"\x80\x02lo"
    assert read(data) == [Event(PING, b"p"), Event(TEXT, b"hello")]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xc1\x00", "protocol"),
        (b"\x81\x80\0\0\0\0", "protocol"),
        (b"\x83\x00", "protocol"),
        (b"\x09\x00", "protocol"),
        (b"\x89\x7e\x00\x7e", "protocol"),
        (b"\x80\x00", "protocol"),
        (b"\x01\x00\x01\x00", "protocol"),
        (b"\x81\x7e\x04\x00", "too_large"),
        (b"\x01\x7d" + b"x" * 125 + b"\x80\x7e\x03\xe8", "too_large"),
    ],
    ids=[
        "reserved bits", "mask", "unknown kind", "fragmented ping", "long ping", "continuation of nothing",
        "message in a message", "too large", "too large in parts",
    ],
)  # fmt: skip
def test_what_breaks_the_protocol_is_refused(data, kind):
    with pytest.raises(ProbeError) as caught:
        read(data)
    assert caught.value.kind == kind


def test_close_codes_go_both_ways():
    assert close_code(close_payload(4012, "drained")) == 4012
    assert close_code(b"") == 1005
    assert close_payload(1005) == b""
    assert read(b"\x88\x02\x0f\xac") == [Event(CLOSE, b"\x0f\xac")]
