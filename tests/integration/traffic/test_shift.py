# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shifting clients while they are busy: nothing is lost, nothing is closed, nothing is reloaded."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.look import look
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import classes_of, parse_state
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import RecordDamaged
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.switch import NotInForce
from ansible_collections.greenlight.deploy.tests.integration.traffic.proxy import TOKEN, Proxy, wait_for

CLIENTS, FLIPS = 8, 120


@dataclass
class Load:
    """What the clients saw."""

    requests: int = 0
    failures: list[str] = field(default_factory=list)


@contextmanager
def busy_clients(proxy: Proxy) -> Iterator[Load]:
    """POST without a pause on keep-alive connections, never trying anything a second time."""
    load, stop, lock = Load(), threading.Event(), threading.Lock()

    def client(name: str) -> None:
        connection = proxy.connect()
        requests, failures = 0, []
        while not stop.is_set():
            requests += 1
            try:
                connection.request("POST", "/", body=b"x" * 100, headers={"X-Device-Id": name})
                response = connection.getresponse()
                body = response.read()
                if response.status != 200 or b'"colour"' not in body:
                    failures.append(f"status {response.status}")
                ended = response.headers.get("Connection") == "close"  # nginx ends each after 1000 requests
            except (OSError, HTTPException) as error:
                failures.append(repr(error))
                ended = True
            if ended:
                connection.close()
                connection = proxy.connect()
        connection.close()
        with lock:
            load.requests += requests
            load.failures += failures

    threads = [threading.Thread(target=client, args=(f"client {number}",)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_flips_under_load_lose_nothing(proxy: Proxy) -> None:
    proxy.shift("blue")
    workers = proxy.workers
    chance = random.Random(2)
    with busy_clients(proxy) as load:
        for _number in range(FLIPS):
            proxy.shift("green", chance.choice([0, 1, 10, 50, 99, 100]), verify=0)
        proxy.shift("blue")
    assert load.failures == []
    assert load.requests > FLIPS
    assert proxy.workers == workers


@pytest.mark.parametrize("share", [1, 10, 99, 100])
def test_each_class_is_answered_by_its_colour(proxy: Proxy, share: int) -> None:
    proxy.shift("blue")
    result = proxy.shift("green", share, verify=100)
    counts = {colour: len(classes) for colour, classes in classes_of(parse_state(f"green-{share}")).items() if classes}
    assert result["verified"] == {colour: {"asked": count, "answered": count} for colour, count in counts.items()}


def test_a_way_back_in_steps_is_as_sticky(proxy: Proxy) -> None:
    proxy.shift("green")
    result = proxy.shift("blue", 10, verify=100)
    assert result["moved"]["classes"] == [f"c{number}" for number in range(90, 100)]
    assert proxy.shift("blue", 0)["after"]["state"] == "green"


def test_a_shift_moves_no_open_websocket_and_the_ledger_shows_it(proxy: Proxy) -> None:
    proxy.shift("blue")
    sockets = [proxy.websocket(f"c{number:02d}") for number in range(20)]
    assert {one.hello for one in sockets} == {"blue"}
    proxy.shift("green", 10)
    seen = look(proxy.files, Kernel())
    assert (seen["live"], seen["shares"]) == ({"blue": 20, "green": 0}, {"blue": 90, "green": 10})
    assert seen["live_share"] == {"blue": 100.0, "green": 0.0}
    late = proxy.websocket("c00")
    assert late.hello == "green"
    for one in (*sockets, late):
        one.close()
    wait_for(lambda: look(proxy.files, Kernel())["live"] == {"blue": 0, "green": 0})


def test_the_guard_saves_the_clients_of_a_dead_candidate_and_the_questions_see_it(proxy: Proxy) -> None:
    proxy.shift("blue")
    proxy.shift("green", 10)
    proxy.backends["green"].close()
    response, body = proxy.get("/", Cookie="greenlight_class=c00")
    assert (response.status, json.loads(body)["colour"]) == (200, "blue")
    with pytest.raises(NotInForce, match=r"c00: answered by .*, not by green"):
        proxy.shift("green", 50)
    assert proxy.files.state() == parse_state("green-10")
    assert proxy.files.record().share == 10


def test_the_way_back_stays_though_the_answers_are_bad(proxy: Proxy) -> None:
    proxy.shift("blue")
    proxy.shift("green", 10)
    proxy.backends["blue"].status = 500
    with pytest.raises(NotInForce, match="blue stays in force"):
        proxy.shift("blue", restore=False)
    assert proxy.files.state() == parse_state("blue")


def test_a_tester_reaches_a_dead_colour_not_its_guard(proxy: Proxy) -> None:
    proxy.shift("blue")
    proxy.shift("green", 50)
    proxy.backends["green"].close()
    response, _body = proxy.get("/", X_Greenlight_Tester=TOKEN, X_Greenlight_Colour="green")
    assert response.status == 502


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [
        ("{}", None),
        ("{}; a=1", "a=1"),
        ("a=1; {}", "a=1"),
        ("a=1; {}; b=2", "a=1; b=2"),
        ("a=1; b=2", "a=1; b=2"),
        ("my_{}", "my_{}"),
    ],
)
def test_the_application_gets_every_cookie_but_the_tester_s(proxy: Proxy, sent: str, passed_on: str | None) -> None:
    proxy.shift("blue")
    cookie = f"greenlight_tester={TOKEN}.green"
    _response, body = proxy.get("/", Cookie=sent.format(cookie))
    assert json.loads(body)["headers"].get("cookie") == (passed_on and passed_on.format(cookie))


@pytest.mark.parametrize(
    "path",
    ["/.greenlight/drain", "/.greenlight/x/y", "//.greenlight/drain", "/%2egreenlight/drain", "/a/../.greenlight/a"],
)
@pytest.mark.parametrize("headers", [{}, {"X_Greenlight_Tester": TOKEN, "X_Greenlight_Colour": "blue"}])
def test_no_client_reaches_what_the_deployment_asks_instances(proxy: Proxy, path: str, headers: dict[str, str]) -> None:
    proxy.shift("blue")
    response, body = proxy.get(path, X_Greenlight_Control="guessed", **headers)
    assert (response.status, b'"colour"' in body) == (404, False)
    _response, body = proxy.get("/", X_Greenlight_Control="guessed")
    assert b'"colour": "blue"' in body
    assert b"guessed" not in body


def test_nobody_is_served_in_state_none_but_testers(proxy: Proxy) -> None:
    response, _body = proxy.get("/")
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert response.headers["X-Greenlight-Colour"] is None
    response, body = proxy.get("/", X_Greenlight_Tester=TOKEN, X_Greenlight_Colour="blue")
    assert (response.status, json.loads(body)["colour"]) == (200, "blue")
    assert proxy.shift("none")["verified"] == {"none": {"asked": 3, "answered": 3}}


def test_the_application_s_own_503_is_passed_on(proxy: Proxy) -> None:
    proxy.shift("blue")
    proxy.backends["blue"].status = 503
    response, body = proxy.get("/")
    assert response.status == 503
    assert json.loads(body)["colour"] == "blue"


def test_a_share_that_is_none_changes_nothing(proxy: Proxy) -> None:
    proxy.shift("blue")
    before = proxy.files.record()
    with pytest.raises(InvalidInput, match="a share of 120"):
        proxy.shift("green", 120)
    assert proxy.files.record() == before


def test_a_damaged_record_is_not_overwritten(proxy: Proxy) -> None:
    proxy.shift("blue")
    record = proxy.layout.traffic / "traffic.json"
    record.write_text("{")
    with pytest.raises(RecordDamaged, match=r"traffic\.json"):
        proxy.shift("green", 10)
    assert record.read_text() == "{"
    assert proxy.get("/")[0].status == 200


def test_the_log_has_one_json_object_a_request_without_its_query(proxy: Proxy) -> None:
    proxy.shift("blue")
    proxy.get('/a"b?secret=1', X_Device_Id="abc")
    line = json.loads(proxy.layout.log.read_text().splitlines()[-1])
    upstream = f"127.0.0.1:{proxy.backends['blue'].port}"
    wanted = {"status": "200", "colour": "blue", "class": "c07", "upstream": upstream, "uri": '/a"b', "tester": ""}
    assert {name: line[name] for name in wanted} == wanted
    assert "secret" not in proxy.layout.log.read_text()
