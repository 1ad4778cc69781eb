# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import ProbeError
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_message import (
    ResponseReader,
    parse_head,
    render_request,
)

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n6\r\n world\r\n0\r\nTrailer: 1\r\n\r\n"
)
LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello"


def read(data: bytes, method: str = "GET", limit: int = 100) -> ResponseReader:
    reader = ResponseReader(method, limit)
    assert reader.feed(data)
    return reader


def test_a_request_has_host_length_and_the_callers_headers():
    request = render_request("POST", "/items", "sync.test:8443", [("X-Device-Id", "d1")], b"{}")
    assert request == (
        b"POST /items HTTP/1.1\r\nHost: sync.test:8443\r\nX-Device-Id: d1\r\nContent-Length: 2\r\n\r\n{}"
    )


def test_a_get_has_no_length_and_an_empty_post_has_one():
    assert b"Content-Length" not in render_request("GET", "/", "a")
    assert b"Content-Length: 0" in render_request("POST", "/", "a")


@pytest.mark.parametrize("part", [("GET /x", "/", "v"), ("GET", "/\r\nX: 1", "v"), ("GET", "/", "v\r\nX: 1")])
def test_one_request_cannot_become_two(part):
    method, path, value = part
    if "\r" not in path + value:
        assert render_request(method, path, "a", [("A", value)])
        return
    with pytest.raises(ValueError, match="line break"):
        render_request(method, path, "a", [("A", value)])


@pytest.mark.parametrize("data", [CHUNKED, LENGTH])
def test_any_cut_of_the_bytes_gives_the_same_answer(data):
    whole = read(data)
    for at in range(1, len(data)):
        reader = ResponseReader("GET", 100)
        assert not reader.feed(data[:at])
        assert reader.feed(data[at:])
        assert (reader.status, reader.body, reader.headers) == (200, whole.body, whole.headers)


def test_chunks_and_their_trailer_are_read():
    assert read(CHUNKED).body == b"hello world"


def test_repeated_headers_are_joined_and_names_become_lower_case():
    assert read(LENGTH).headers["x-a"] == "1, 2"


def test_what_follows_the_answer_is_kept():
    assert read(LENGTH + b"HTTP/1.1").rest == b"HTTP/1.1"


@pytest.mark.parametrize("status", [204, 304, 101])
def test_some_statuses_have_no_body(status):
    assert read(b"HTTP/1.1 %d X\r\n\r\n" % status).body == b""


def test_an_answer_to_head_has_no_body_whatever_its_length_says():
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD").body == b""


def test_interim_answers_are_skipped():
    assert read(b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH).status == 200


def test_a_body_without_length_ends_with_the_connection():
    reader = ResponseReader()
    assert not reader.feed(b"HTTP/1.1 200 OK\r\n\r\nhel")
    assert not reader.feed(b"lo")
    assert reader.finish()
    assert (reader.body, reader.keep_alive) == (b"hello", False)


def test_a_body_shorter_than_its_length_is_not_whole():
    reader = ResponseReader()
    assert not reader.feed(LENGTH[:-1])
    assert not reader.finish()


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"HTTP/1.1 204 X", True),
        (b"HTTP/1.1 204 X\r\nConnection: close", False),
        (b"HTTP/1.0 204 X", False),
        (b"HTTP/1.0 204 X\r\nConnection: Keep-Alive", True),
    ],
)
def test_whether_the_connection_may_be_used_again(head, kept):
    assert read(head + b"\r\n\r\n").keep_alive is kept


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not an HTTP"),
        (b"HTTP/2 200 OK\r\n\r\n", "not an HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", None),
        (b"HTTP/1.1 xx OK\r\n\r\n", "not an HTTP"),
        (b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n", "broken header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "content length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "transfer encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n", "longer than it says"),
        (b"x" * 70000, "larger than"),
    ],
)
def test_what_is_not_http_is_said(data, message):
    reader = ResponseReader()
    if message is None:
        assert reader.feed(data) is False
        return
    with pytest.raises(ProbeError, match=message) as caught:
        reader.feed(data)
    assert caught.value.kind == "protocol"


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabc",
        b"HTTP/1.1 200 OK\r\n\r\nabcdef",
    ],
)
def test_a_body_over_the_limit_is_refused_with_its_status(data):
    with pytest.raises(ProbeError, match="larger than 5 bytes") as caught:
        ResponseReader("GET", 5).feed(data)
    assert (caught.value.kind, caught.value.status) == ("too_large", 200)


def test_parse_head_reads_version_status_and_headers():
    assert parse_head(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After:  5 ") == (
        "HTTP/1.1",
        503,
        {"retry-after": "5"},
    )
