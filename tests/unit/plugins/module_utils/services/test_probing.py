# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an instance is asked, and how long it is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import HttpAnswer, WebSocketAnswer
from ansible_collections.greenlight.deploy.plugins.module_utils.services import probing
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import Instance
from ansible_collections.greenlight.deploy.plugins.module_utils.services.readiness import READY, Limits, Probe, Watch
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState

RELEASE = "20261122T124500Z-1a2b3c4"
INSTANCE = Instance("web", "x-web-green@8201.service", 8201)
UNIT = UnitState(INSTANCE.unit, "loaded", "active", "running", pid=7, active_since=1.0)
HELD = Listener("10.0.0.21", 8201, "daphne", 7, INSTANCE.unit)
QUESTIONS = probing.Questions(
    "10.0.0.21", RELEASE, "sync.example.com", "/health", "/readiness", "/ws", {"status": "ok"}, timeout=2.0
)


def answer(status: int = 200, body: object = None, served: str = f"green/{RELEASE}/v2") -> HttpAnswer:
    text = json.dumps({"status": "ok"} if body is None else body).encode()
    return HttpAnswer(status, {"x-greenlight-served-by": served} if served else {}, text, 0.012)


@dataclass
class Application:
    """Stands where the network would be: answers by path, and what was asked."""

    answers: dict[str, HttpAnswer]
    handshake: int = 101
    asked: list[tuple[str, Any]] | None = None

    def http(self, endpoint: Any, path: str, *, timeout: float) -> HttpAnswer:
        (self.asked if self.asked is not None else []).append((path, endpoint, timeout))
        return self.answers.get(path, answer())

    def websocket(self, endpoint: Any, path: str, *, headers: Any, timeout: float, first_message: bool) -> Any:
        assert not first_message
        (self.asked if self.asked is not None else []).append((path, headers))
        return WebSocketAnswer(status=self.handshake)


@pytest.fixture
def application(monkeypatch):
    application = Application({}, asked=[])
    monkeypatch.setattr(probing, "probe_http", application.http)
    monkeypatch.setattr(probing, "probe_websocket", application.websocket)
    return application


def test_all_is_asked_of_the_instance_itself_under_the_name_that_clients_use(application):
    assert QUESTIONS.ask(INSTANCE, UNIT, [HELD]).ok
    (health, endpoint, timeout), (readiness, *_more), (websocket, headers) = application.asked
    assert (health, readiness, websocket) == ("/health", "/readiness", "/ws")
    assert (endpoint.address, endpoint.port, endpoint.server_name, timeout) == (
        "10.0.0.21", 8201, "sync.example.com", 2.0,
    )  # fmt: skip
    assert ("X-Forwarded-Proto", "https") in endpoint.headers
    assert headers == (("Origin", "https://sync.example.com"),)


@pytest.mark.parametrize(
    ("path", "said", "expected"),
    [
        ("/health", answer(503), "503"),
        ("/health", answer(301), "301"),
        ("/health", answer(204), "204"),
        ("/health", HttpAnswer(0, error="connection refused", kind="connect"), "connection refused"),
        ("/health", answer(body={"status": "sick"}), "'status' is not 'ok'"),
        ("/health", answer(body=["ok"]), "'status' is not 'ok'"),
        ("/readiness", answer(503, {"checks": {"redis": "refused"}}), 'first bytes: {"checks"'),
        ("/readiness", answer(served="green/20261101T000000Z-7654321/v1"), "not by release " + RELEASE),
    ],
)
def test_what_is_wrong_is_told_with_the_first_bytes(application, path, said, expected):
    application.answers[path] = said
    probe = QUESTIONS.ask(INSTANCE, UNIT, [HELD])
    assert not probe.ok
    assert probe.asked == f"GET {path}"
    assert expected in probe.answer
    assert probe.refused is (said.status != 0)


def test_an_application_that_does_not_say_its_release_is_believed(application):
    application.answers["/health"] = answer(served="")
    assert QUESTIONS.ask(INSTANCE, UNIT, [HELD]).ok


def test_a_websocket_that_is_refused(application):
    application.handshake = 403
    probe = QUESTIONS.ask(INSTANCE, UNIT, [HELD])
    assert (probe.ok, probe.asked) == (False, "WebSocket /ws")


def test_only_what_has_a_path_is_asked(application):
    assert replace(QUESTIONS, readiness="", websocket="").ask(INSTANCE, UNIT, [HELD]).ok
    assert [path for path, *_more in application.asked] == ["/health"]


def test_of_a_service_without_probes_only_the_port_is_asked(application):
    assert QUESTIONS.ask(replace(INSTANCE, probe=False), UNIT, [HELD]).ok
    assert application.asked == []


@pytest.mark.parametrize(
    ("unit", "holders", "expected"),
    [
        (UNIT, [], "nothing listens on 10.0.0.21:8201"),
        (UNIT, [replace(HELD, address="127.0.0.1")], "nothing listens on 10.0.0.21:8201"),
        (UNIT, [Listener("0.0.0.0", 8201, "nc", 9, "nc.service")], "held by nc (pid 9, nc.service), not by the unit"),
        (UNIT, [Listener("*", 8201, "", 0)], "held by a program that this host does not show"),
        (replace(UNIT, active="activating", sub="auto-restart", pid=0), [HELD], "activating/auto-restart"),
    ],
)
def test_the_port_must_be_the_units_own(application, unit, holders, expected):
    probe = QUESTIONS.ask(INSTANCE, unit, holders)
    assert (probe.ok, probe.asked) == (False, "port 8201")
    assert expected in probe.answer
    assert application.asked == []


@pytest.mark.parametrize("holder", [replace(HELD, unit=""), replace(HELD, pid=8), replace(HELD, address="::")])
def test_main_process_or_unit_hold_the_port(application, holder):
    assert QUESTIONS.ask(INSTANCE, UNIT, [holder]).ok


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.clock = probing.Clock(lambda: self.seconds, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def wait(ask: Any, watches: Sequence[Watch], limits: Limits, monkeypatch: Any) -> tuple[Watch | None, float]:
    monkeypatch.setattr(probing, "listeners", list)
    time = Time()
    states = {watch.instance.unit: replace(UNIT, unit=watch.instance.unit, active_since=0.0) for watch in watches}
    return probing.wait(watches, lambda units: {u: states[u] for u in units}, ask, limits, time.clock), time.seconds


TWO = [INSTANCE, Instance("web", "x-web-green@8202.service", 8202)]
LIMITS = Limits(timeout=60, interval=1, successes=3, steady=5)


def test_the_wait_ends_when_all_are_ready(monkeypatch):
    watches = [Watch(each, LIMITS, 0.0) for each in TWO]
    failed, seconds = wait(lambda *_seen: Probe(ok=True), watches, LIMITS, monkeypatch)
    assert failed is None
    assert seconds == 5.0
    assert {watch.state for watch in watches} == {READY}


def test_one_that_never_is_ends_it_with_the_deadline(monkeypatch):
    watches = [Watch(each, LIMITS, 0.0) for each in TWO]
    failed, seconds = wait(lambda each, *_seen: Probe(ok=each is INSTANCE), watches, LIMITS, monkeypatch)
    assert failed is watches[1]
    assert seconds == 60.0
    assert watches[0].state == READY


def test_one_that_is_ready_is_not_asked_again(monkeypatch):
    asked = []

    def ask(each: Instance, *_seen: Any) -> Probe:
        asked.append(each.port)
        return Probe(ok=each is INSTANCE or len(asked) > 25)

    watches = [Watch(each, LIMITS, 0.0) for each in TWO]
    failed, _seconds = wait(ask, watches, LIMITS, monkeypatch)
    assert failed is None
    assert asked.count(8201) == 6
