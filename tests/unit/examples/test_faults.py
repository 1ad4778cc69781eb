# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import importlib.util

import pytest

from tools.example import EXAMPLES

PLACE = EXAMPLES / "mobile_sync/versions/v2.2.0-faulty/mobile_sync/faults.py"


@pytest.fixture
def faults():
    specification = importlib.util.spec_from_file_location("faults", PLACE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class Visitor:
    """Asks a faulty application and notes the status of each answer; `inner` answers 200."""

    def __init__(self, faults, text):
        self.statuses = []
        self.application = faults.Faulty(self.inner, faults.parse(text), [(b"x-who", b"me")])

    async def inner(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 200})

    async def send(self, message):
        if "status" in message:
            self.statuses.append(message["status"])
        elif message["type"] == "websocket.close":
            self.statuses.append(403)

    def ask(self, *paths, kind="http"):
        self.statuses = []
        for path in paths:
            asyncio.run(self.application({"type": kind, "path": path}, None, self.send))
        return self.statuses


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("errors=5,wait_for_clients", {"errors": 5, "wait_for_clients": 1}),
        (" crash_after=2.5 , refuse_websockets", {"crash_after": 2.5, "refuse_websockets": 1}),
    ],
)
def test_faults_are_read(faults, text, found):
    assert faults.parse(text) == found


@pytest.mark.parametrize("text", ["error=5", "errors", "crash_at_once=1", "errors=many"])
def test_what_is_no_fault_is_refused(faults, text):
    with pytest.raises(ValueError, match=r"MOBILE_SYNC_FAULT|many"):
        faults.parse(text)


def test_without_a_fault_everything_is_passed_on(faults):
    assert Visitor(faults, "").ask("/health", "/api/v1/time") == [200, 200]


def test_every_nth_request_fails_and_probes_never_do(faults):
    visitor = Visitor(faults, "errors=25")
    assert visitor.ask(*["/api/v1/time"] * 8) == [200, 200, 200, 500] * 2
    assert Visitor(faults, "errors=100").ask("/api/v1/time", "/health", "/readiness") == [500, 200, 200]
    assert Visitor(faults, "errors=100").ask("/.greenlight/drain") == [200]


def test_a_fault_that_waits_begins_with_the_first_client(faults):
    visitor = Visitor(faults, "errors=100,refuse_websockets,wait_for_clients")
    assert visitor.ask("/api/v1/uploads/init") == [200]
    assert visitor.ask("/ws/sync", kind="websocket") == [200]
    assert visitor.ask("/api/v1/sync/items", "/api/v1/uploads/init") == [500, 500]
    assert visitor.ask("/ws/sync", kind="websocket") == [403]


def test_one_in_twenty_is_slow(faults, monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    monkeypatch.setattr(faults.asyncio, "sleep", sleep)
    assert Visitor(faults, "slow=2").ask(*["/api/v1/time"] * 40) == [200] * 40
    assert waits == [2, 2]


def test_it_ends_at_once_or_later(faults, monkeypatch):
    ended = []
    monkeypatch.setattr(faults.os, "_exit", ended.append)
    Visitor(faults, "crash_at_once,wait_for_clients")
    assert ended == [faults.CRASHED]
    visitor = Visitor(faults, "crash_after=0,wait_for_clients")
    assert ended == [faults.CRASHED]
    visitor.ask(faults.FIRST_CLIENT[0])
    for thread in faults.threading.enumerate():
        if isinstance(thread, faults.threading.Timer):
            thread.join()
    assert ended == [faults.CRASHED] * 2
