# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.checks import default_checks, parse_checks
from ansible_collections.greenlight.deploy.plugins.module_utils.health.smoke import Target, _run
from ansible_collections.greenlight.deploy.plugins.module_utils.health.transport import run_async
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.health.fake_app import FakeApp
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.health.server import (
    frame,
    read_frame,
    serving,
    shake,
)

SYNC = {
    "name": "sync", "kind": "websocket", "path": "/ws/sync", "timeout": 0.3, "expect_hello": {"type": "hello"},
    "send": {"type": "sync", "id": "{unique}"}, "expect": {"type": "ack", "id": "{unique}"},
    "broadcast": {"send": {"type": "broadcast", "text": "{unique}"}, "expect": {"text": "{unique}"}}, "idle": 0.05,
}  # fmt: skip


def smoke(talk, *checks, deadline=5.0, wanted=(), **endpoint):
    """The verdict of one check, or of the default checks."""

    async def main():
        async with serving(talk, **endpoint) as where:
            parsed = parse_checks(list(checks)) or default_checks("/health", "/readiness")
            (verdict,) = await _run([Target(where, "here")], parsed, deadline, "u", wanted)
            return verdict

    return run_async(main())


def only(verdict):
    (check,) = verdict.checks
    return check


def test_default_checks_pass_and_the_served_by_header_is_wanted_of_each():
    verdict = smoke(FakeApp().talk, wanted=(("X-Greenlight-Served-By", "blue/*"),))
    assert verdict.ok
    assert [check.name for check in verdict.checks] == ["health", "readiness"]


def test_the_wrong_colour_is_a_failure():
    verdict = smoke(FakeApp().talk, SYNC, wanted=(("X-Greenlight-Served-By", "green/*"),))
    assert only(verdict).problems == ["header X-Greenlight-Served-By is 'blue/r1/v1', expected 'green/*'"]


def test_a_failure_shows_request_status_and_first_bytes():
    check = only(smoke(FakeApp().talk, {"name": "gone", "path": "/gone"}, server_name="sync.test"))
    assert not check.ok
    line = check.describe()
    assert all(part in line for part in ("gone: status 404", "GET http://sync.test", "127.0.0.1", "nothing here"))


def test_what_a_check_made_is_removed_also_when_it_fails():
    app = FakeApp()
    upload = {
        "name": "upload", "path": "/api/v1/uploads/init", "method": "POST",
        "expect": {"status": 200}, "cleanup": [{"path": "/api/v1/uploads/{answer.upload_id}"}],
    }  # fmt: skip
    assert only(smoke(app.talk, upload)).problems == ["status 201, expected 200"]
    assert app.asked[-1] == "DELETE /api/v1/uploads/u1"


@pytest.mark.parametrize(
    ("path", "problem"),
    [("/x/{answer.other}", "cleanup DELETE /x/{answer.other}: no answer.other"), ("/health", None)],
)
def test_a_cleanup_that_cannot_be_done_is_a_failure(path, problem):
    check = only(smoke(FakeApp().talk, {"name": "a", "path": "/health", "cleanup": [{"path": path}]}))
    assert check.problems == ([problem] if problem else [])


def test_a_cleanup_that_is_refused_is_a_failure_and_404_is_none():
    for path, ok in (("/gone", True), ("/api/v1/uploads/x", True)):
        check = {"name": "a", "path": "/health", "cleanup": [{"path": path, "method": "POST"}]}
        assert only(smoke(FakeApp().talk, check)).ok is ok
    app = FakeApp()
    app.fail_every = 2
    problems = only(smoke(app.talk, {"name": "a", "path": "/health", "cleanup": [{"path": "/x"}]})).problems
    assert problems[0].startswith("cleanup DELETE /x: 503")


def test_a_websocket_round_trip_with_broadcast_and_silence():
    app = FakeApp()
    check = only(smoke(app.talk, SYNC))
    assert check.ok, check.problems
    assert set(app.applied) == {"u-0-0", "u-0-0-later"}


def test_a_broadcast_that_never_arrives_is_seen_although_the_echo_works():
    app = FakeApp()
    app.mute = True
    assert only(smoke(app.talk, SYNC)).problems == ["broadcast: no message within 0.3 s"]


def test_a_hello_that_is_wrong_is_named():
    check = only(smoke(FakeApp().talk, {**SYNC, "expect_hello": {"colour": "green"}}))
    assert check.problems == ['hello: colour is "blue", expected "green"']
    assert "hello" in check.first_bytes


def test_an_answer_that_never_fits_shows_the_last_message():
    check = only(smoke(FakeApp().talk, {**SYNC, "expect": {"type": "nack"}}))
    assert check.problems == ['message: message: type is "ack", expected "nack"']


def test_a_socket_that_dies_in_silence_is_seen():
    async def talk(reader, writer):
        await shake(reader, writer)
        await read_frame(reader)
        writer.write(frame(10, b"greenlight") + frame(8, (1011).to_bytes(2, "big")))

    check = only(smoke(talk, {"name": "idle", "kind": "websocket", "path": "/ws", "idle": 5, "timeout": 1}))
    assert "closed with code 1011 after 0.0 s of silence" in check.problems[0]


def test_silence_alone_is_followed_by_a_ping():
    assert smoke(FakeApp().talk, {"name": "i", "kind": "websocket", "path": "/ws", "idle": 0.05, "timeout": 1}).ok


def test_a_goodbye_that_is_not_answered_is_a_failure():
    app = FakeApp()
    app.hangup = True
    check = only(smoke(app.talk, {"name": "c", "kind": "websocket", "path": "/ws", "timeout": 1}))
    assert check.problems == ["close answered with code 1006, expected 1000"]


def test_a_handshake_that_is_refused_shows_its_status():
    async def talk(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops")

    check = only(smoke(talk, SYNC))
    assert (check.status, check.first_bytes) == (502, "oops")


def test_the_deadline_ends_everything():
    async def talk(reader, writer):
        await reader.read()

    verdict = smoke(talk, {"name": "a", "path": "/"}, {"name": "b", "path": "/"}, deadline=0.05)
    assert [check.problems for check in verdict.checks] == [["not finished within the deadline of 0 s"]] * 2
