# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.health.checks import (
    Exchange,
    HttpCheck,
    WebSocketCheck,
    default_checks,
    parse_checks,
)

UPLOAD = {
    "name": "upload",
    "path": "/init",
    "headers": {"Idempotency-Key": "{unique}"},
    "json": {"a": 1},
    "expect": {"status": [200, 201], "json": {"duplicate": False}, "headers": {"X-A": "b*"}, "text": "upload"},
    "max_latency": 2,
    "timeout": 5,
    "cleanup": [{"path": "/init/{answer.upload_id}"}],
}
SYNC = {
    "name": "sync",
    "kind": "websocket",
    "path": "/ws",
    "expect_hello": {"type": "hello"},
    "send": {"type": "sync"},
    "expect": {"type": "ack"},
    "broadcast": {"send": {"text": "a"}, "expect": {"text": "a"}},
    "idle": 13,
    "ping": False,
}


def parse(**change):
    (check,) = parse_checks([{"name": "one", "path": "/", **change}])
    return check


def test_an_http_check_is_read_whole():
    (check,) = parse_checks([UPLOAD])
    assert isinstance(check, HttpCheck)
    assert (check.request.method, check.request.body) == ("POST", '{"a": 1}')
    assert check.request.headers == (("Content-Type", "application/json"), ("Idempotency-Key", "{unique}"))
    assert (check.expect.status, check.expect.headers) == ((200, 201), (("X-A", "b*"),))
    assert (check.cleanup[0].method, check.seconds) == ("DELETE", 10.0)


def test_a_websocket_check_is_read_whole():
    (check,) = parse_checks([SYNC])
    assert isinstance(check, WebSocketCheck)
    assert check.exchange == Exchange({"type": "sync"}, {"type": "ack"})
    assert check.broadcast == Exchange({"text": "a"}, {"text": "a"})
    assert (check.idle, check.ping, check.seconds) == (13.0, False, 23.0)


def test_little_is_needed():
    check = parse()
    assert (check.request.method, check.expect.status, check.cleanup) == ("GET", (200,), ())


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"pth": "/"}, ["greenlight_smoke[0] (one)", "unknown key 'pth'", "write 'path'"]),
        ({"expect": {"statsu": 200}}, ["greenlight_smoke[0] (one).expect", "write 'status'"]),
        ({"expect": {"status": 99}}, ["'status' is 99"]),
        ({"expect": {"status": True}}, ["'status' is True"]),
        ({"expect": {"status": []}}, ["'status' is []"]),
        ({"expect": "200"}, ["keys and values"]),
        ({"path": "health"}, ["begins with /"]),
        ({"path": "/a b"}, ["no blanks"]),
        ({"path": None}, ["'path' is missing"]),
        ({"method": "get"}, ["one of GET"]),
        ({"kind": "tcp"}, ["one of http, websocket"]),
        ({"timeout": 0}, ["more than 0"]),
        ({"timeout": float("nan")}, ["more than 0"]),
        ({"max_latency": "2"}, ["'max_latency' is '2'"]),
        ({"headers": ["a"]}, ["'headers'"]),
        ({"headers": {"a": "b\nc"}}, ["each on one line"]),
        ({"body": "x", "json": {}}, ["'body' and 'json'"]),
        ({"body": 5}, ["'body' is 5"]),
        ({"cleanup": {"path": "/"}}, ["a list of requests"]),
        ({"cleanup": [{"paht": "/"}]}, ["cleanup[0]", "write 'path'"]),
        ({"kind": "websocket", "send": {}}, ["'expect' is missing"]),
        ({"kind": "websocket", "broadcast": {"send": {}}}, ["broadcast", "'expect' is missing"]),
        ({"kind": "websocket", "broadcast": []}, ["broadcast", "keys and values"]),
        ({"kind": "websocket", "ping": "yes"}, ["true or false"]),
        ({"kind": "websocket", "method": "GET"}, ["unknown key 'method'"]),
    ],
)
def test_what_is_wrong_is_named(change, parts):
    with pytest.raises(InvalidInput) as caught:
        parse(**change)
    assert all(part in str(caught.value) for part in parts), str(caught.value)


@pytest.mark.parametrize("raw", [None, {}, "checks", 5, ["one"], [{"path": "/"}], [{"name": " ", "path": "/"}]])
def test_what_is_no_list_of_named_checks_is_refused(raw):
    with pytest.raises(InvalidInput):
        parse_checks(raw)


def test_a_status_may_be_of_a_type_derived_from_int():
    class Tagged(int):
        """As Ansible marks the values that come from a file."""

    assert parse(expect={"status": Tagged(201)}).expect.status == (201,)


def test_names_must_differ():
    with pytest.raises(InvalidInput, match="two checks are named 'upload'"):
        parse_checks([UPLOAD, UPLOAD])


def test_default_checks_are_the_paths_that_are_given():
    assert default_checks() == ()
    health, readiness, websocket = default_checks("/health", "/readiness", "/ws")
    assert (health.request.path, readiness.request.path) == ("/health", "/readiness")
    assert websocket.idle > 12
