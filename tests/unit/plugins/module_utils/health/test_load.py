# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import json

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.health import load as load_file
from ansible_collections.greenlight.deploy.plugins.module_utils.health.load import (
    Load,
    arguments,
    problems,
    read_url,
    run_for,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.load_clients import Plan, colour_of
from ansible_collections.greenlight.deploy.plugins.module_utils.health.transport import run_async
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.health.fake_app import FakeApp
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.health.server import serving

QUICK = {"run": "runx", "rate": 100.0, "sockets": 4, "interval": 0.05, "jitter": 0.01, "patience": 1.0}


@pytest.fixture(autouse=True)
def short_grace(monkeypatch):
    monkeypatch.setattr(load_file, "GRACE", 0.5)
    monkeypatch.setattr(load_file, "POLL", 0.01)


def play(app: FakeApp, seconds: float = 0.3, **plan):
    async def main():
        async with serving(app.talk) as where:
            return await run_for(Plan(where, **{**QUICK, **plan}), seconds)

    return run_async(main())


def test_a_sound_application_loses_nothing_and_both_sides_agree():
    app = FakeApp()
    result = play(app)
    sums = result["total"]
    assert problems(result) == []
    assert sums["items_sent"] == sums["items_acked"] == len(app.applied) == result["server"]["distinct"]
    assert sums["requests"] >= 20
    assert any(name.startswith("runx-h") for name in app.applied)
    assert any(name.startswith("runx-w") for name in app.applied)


def test_each_failed_request_is_counted_and_not_tried_again():
    app = FakeApp()
    app.fail_every = 5
    result = play(app, sockets=0)
    assert result["acts"][0]["failures"]["503"] == result["total"]["failed"] > 0
    assert result["total"]["items_lost"] > 0
    assert problems(result) != []


def test_a_drained_socket_comes_back_and_resends_under_the_same_id():
    app = FakeApp()
    app.drain_after = 3
    result = play(app, rate=0.0, seconds=0.4)
    act = result["acts"][0]
    assert problems(result) == []
    assert act["close_codes"] == {"4012": act["reconnects"]}
    assert act["reconnects"] >= 4
    assert act["items_resent"] >= act["reconnects"]
    assert act["away_max_s"] > 0


def test_an_item_applied_twice_is_seen_by_the_servers_count():
    app = FakeApp()
    app.drain_after, app.forget = 3, True
    result = play(app, rate=0.0)
    assert result["total"]["items_doubled"] == result["server"]["doubled"] > 0


def test_an_item_that_the_server_forgot_is_lost_although_it_was_acknowledged():
    app = FakeApp()
    kept = app.stats
    app.stats = lambda query: {**kept(query), "ids": kept(query)["ids"][1:]}
    assert play(app)["total"]["items_lost"] == 1


def test_a_server_that_cannot_be_asked_is_a_problem():
    app = FakeApp()
    result = play(app, stats="/nowhere")
    assert "own count is missing" in problems(result)[0]


def test_acts_of_one_stream_have_their_own_figures():
    app = FakeApp()
    events = []

    async def main():
        async with serving(app.talk) as where:
            load = Load(Plan(where, **QUICK), "first", events.append)
            load.start()
            await asyncio.sleep(0.15)
            app.colour = "green"
            first = await load.cut("second")
            await asyncio.sleep(0.15)
            return first, await load.finish()

    first, result = run_async(main())
    assert [act["name"] for act in result["acts"]] == ["first", "second"]
    assert first["items_sent"] == first["items_acked"] > 0
    assert set(result["acts"][1]["share"][-1]["answers"]) == {"green"}
    assert sum(act["items_sent"] for act in result["acts"]) == len(app.applied)
    assert events[0]["event"] == "second"


def test_no_request_begins_after_the_end():
    async def main():
        app = FakeApp()
        async with serving(app.talk) as where:
            load = Load(Plan(where, **{**QUICK, "rate": 10.0, "sockets": 0}))
            load.start()
            await asyncio.sleep(0.15)  # two requests are done, the third waits for its turn at 0.2 s
            begun = load.now()["requests"]
            load._shared.working = False
            await asyncio.sleep(0.1)
            begun_later = load.now()["requests"] + len(load._requests)
            await load.finish()
            return begun, begun_later

    before, after = run_async(main())
    assert before == after == 2


def test_a_closed_port_is_failures_and_no_endless_loop():
    async def main():
        async with serving(FakeApp().talk) as where:
            pass
        return await run_for(Plan(where, **{**QUICK, "rate": 20.0}), 0.1)

    result = run_async(main())
    assert result["acts"][0]["failures"]["connect"] > 0
    assert result["acts"][0]["failures"]["handshake connect"] > 0


@pytest.mark.parametrize(
    ("url", "connect", "address", "port", "tls"),
    [
        ("https://sync.test", "10.0.0.1", "10.0.0.1", 443, True),
        ("https://sync.test:8443", "", "sync.test", 8443, True),
        ("http://sync.test", "10.0.0.1:8080", "10.0.0.1", 8080, False),
    ],
)
def test_where_a_url_leads(url, connect, address, port, tls):
    endpoint = read_url(url, connect, "", ["X-A: b: c"])
    assert (endpoint.address, endpoint.port, endpoint.tls) == (address, port, tls)
    assert endpoint.name == "sync.test"
    assert endpoint.headers == (("X-A", "b: c"),)


@pytest.mark.parametrize(("url", "header"), [("sync.test", "A: b"), ("ftp://a", "A: b"), ("http://a", "nonsense")])
def test_bad_input_is_said(url, header):
    with pytest.raises(InvalidInput):
        read_url(url, "", "", [header])


def test_the_command_line_writes_the_result_and_says_how_it_went(tmp_path, monkeypatch, capsys):
    result = {"total": {"failed": 0, "items_lost": 2, "items_doubled": 0}, "away_at_end": 1, "server": {}}

    async def pretend(plan, seconds):
        return {**result, "cpu_share": 0.1, "seconds": seconds, "sockets": plan.sockets}

    monkeypatch.setattr(load_file, "run_for", pretend)
    file = tmp_path / "out.json"
    assert load_file.main(["--url", "http://a", "--seconds", "5", "--sockets", "7", "--json", str(file)]) == 1
    assert json.loads(file.read_text())["sockets"] == 7
    assert json.loads(capsys.readouterr().out)["problems"] == ["2 items lost", "1 sockets never came back"]


def test_a_wrong_url_ends_with_2(capsys):
    assert load_file.main(["--url", "a"]) == 2
    assert "--url" in capsys.readouterr().err


def test_help_names_the_defaults():
    assert arguments(["--url", "http://a"]).rate == 200.0


@pytest.mark.parametrize(("served_by", "colour"), [("blue/r/v", "blue"), ("", "none"), ("green", "green")])
def test_the_colour_is_the_first_part(served_by, colour):
    assert colour_of(served_by) == colour


@pytest.mark.parametrize("rate", [0.5, 1, 6, 10, 198, 200])
def test_every_phone_asks_every_kind(rate):
    plan = Plan(None, "r", rate=rate)
    asked = {(number % plan.phones, number % plan.kinds) for number in range(plan.phones * plan.kinds)}
    assert len(asked) == plan.phones * plan.kinds
