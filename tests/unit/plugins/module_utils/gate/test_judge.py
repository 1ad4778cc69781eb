# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import (
    Limits,
    Metric,
    Outcome,
    Seen,
    Side,
    alarm,
    judge,
    limits_of,
    shown,
)

LIMITS = Limits()
BLUE = Figures(requests=3700, errors=4, opened=30, latencies={11: 3600, 40: 100})


def figures(requests=410, errors=0, slow=0, slow_ms=1840, usual=12, **counts):
    latencies = {usual: requests - slow, slow_ms: slow} if slow else {usual: requests}
    return Figures(requests=requests, errors=errors, latencies=latencies if requests else {}, **counts)


def seen(green=None, blue=BLUE, sockets=30, **more):
    baseline = Side("blue", blue, 270) if blue else None
    return Seen(60.0, Side("green", green or figures(opened=20), sockets), baseline, **more)


def metric(judgement, name):
    return next(one for one in judgement.metrics if one.name == name)


GOOD, BAD, UNKNOWN = Outcome.GOOD, Outcome.BAD, Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("window", "limits", "outcome", "name"),
    [
        (seen(), {}, GOOD, ""),
        # errors: limits of its own
        (seen(figures(errors=37)), {}, BAD, "errors"),
        (seen(figures(errors=37)), {"error_ratio": 20, "error_factor": 100}, GOOD, ""),
        (seen(figures(errors=37), blue=None), {}, BAD, "errors"),
        (seen(figures(50, errors=1)), {}, GOOD, ""),  # one is no reason, though it is two percent
        (seen(figures(50, errors=2)), {}, BAD, "errors"),
        (seen(figures(50, errors=2), blue=None), {}, GOOD, ""),
        (seen(figures(100000, errors=1900), blue=None), {}, GOOD, ""),
        # errors: beside blue
        (seen(figures(4000, errors=60)), {}, BAD, "errors"),
        (seen(figures(4000, errors=60), blue=replace(BLUE, errors=40)), {}, GOOD, ""),
        (seen(figures(4000, errors=60), blue=replace(BLUE, requests=49)), {}, GOOD, ""),
        (seen(figures(errors=400, taken_over=400)), {}, BAD, "errors"),
        # latency
        (seen(figures(slow=40, slow_ms=190)), {}, GOOD, ""),  # slower, but quick enough
        (seen(figures(slow=40, slow_ms=250)), {}, BAD, "latency_p95"),
        (seen(figures(slow=40, slow_ms=250), blue=Figures(requests=900, latencies={240: 900})), {}, GOOD, ""),
        (seen(figures(slow=40, slow_ms=250), blue=None), {}, GOOD, ""),
        (seen(figures(slow=12)), {}, BAD, "latency_p99"),
        (seen(figures(slow=12), blue=None), {}, BAD, "latency_p99"),
        (seen(figures(slow=5)), {}, GOOD, ""),  # 1.2 % may be chance
        # WebSockets
        (seen(figures(opened=30, refused=10)), {}, BAD, "handshakes"),
        (seen(figures(opened=300, refused=1)), {}, GOOD, ""),
        (seen(figures(opened=30, refused=10), blue=replace(BLUE, refused=10)), {}, GOOD, ""),  # blue does so too
        (seen(figures(opened=40, cut_short=20, ended=20)), {}, BAD, "sockets_cut_short"),
        (seen(figures(opened=40, cut_short=20), blue=replace(BLUE, cut_short=15)), {}, GOOD, ""),
        (seen(figures(opened=40, cut_short=20), blue=replace(BLUE, opened=5)), {}, GOOD, ""),  # nothing to compare
        # looks
        (seen(looks=[[], [], ["/health: status 503"]]), {}, BAD, "probes"),
        (seen(looks=[["/health: status 503"], [], []]), {}, GOOD, ""),
        (seen(looks=[["/health: status 503"]] * 2 + [[]]), {}, BAD, "probes"),
        # no data
        (seen(figures(49), sockets=19), {}, UNKNOWN, ""),
        (seen(figures(0), sockets=20), {}, GOOD, ""),  # twenty open sockets say something
        (seen(figures(0), sockets=20, websockets=False), {}, UNKNOWN, ""),
        (seen(figures(0, refused=5), sockets=20), {}, UNKNOWN, ""),
        (seen(figures(0), sockets=0, probes=figures(50)), {}, GOOD, ""),
        (seen(figures(0), sockets=0, probes=figures(50, errors=50)), {}, BAD, "errors"),
        (seen(figures(0), sockets=0, probes=Figures(opened=20)), {}, GOOD, ""),
        (seen(figures(0), sockets=0, probes=Figures(refused=20)), {}, BAD, "handshakes"),
        (seen(figures(0), blue=None, sockets=0), {}, UNKNOWN, ""),
        # looks are no clients where synthetic ones are not wanted
        (seen(figures(0), sockets=0, probes=figures(90, opened=40), synthetic=False), {}, UNKNOWN, ""),
    ],
)
def test_windows(window, limits, outcome, name):
    judgement = judge(window, replace(LIMITS, **limits))
    assert judgement.outcome is outcome
    assert [one.name for one in judgement.metrics if one.outcome is BAD] == ([name] if name else [])


def test_the_reason_has_value_and_limit():
    said = {
        "errors": judge(seen(figures(errors=37)), LIMITS).why,
        "beside": judge(seen(figures(4000, errors=60)), LIMITS).why,
        "dead": judge(seen(figures(errors=410, taken_over=409)), LIMITS).why,
        "p99": judge(seen(figures(slow=12)), LIMITS).why,
        "handshakes": judge(seen(figures(opened=30, refused=10)), LIMITS).why,
        "looks": judge(seen(looks=[["/health: status 503", "WebSocket /ws: x"]]), LIMITS).why,
        "no data": judge(seen(figures(3), sockets=2), LIMITS).why,
        "probes": judge(seen(figures(3), probes=figures(60, errors=60)), LIMITS).why,
    }
    assert said == {
        "errors": "green answered 37 of 410 requests with an error (9.0 %), limit 2.0 %; blue 0.1 %",
        "beside": "green answered 60 of 4000 requests with an error (1.5 %), limit 0.7 % beside blue; blue 0.1 %",
        "dead": "green answered 410 of 410 requests with an error (100.0 %), limit 2.0 %; blue 0.1 %; "
        "blue had to answer 409 of them",
        "p99": "green answered 12 of 410 requests later than 1.00 s, the limit for 99 % of them (p99 1.84 s); "
        "blue 40 ms",
        "handshakes": "green refused 10 of 40 WebSocket handshakes (25.0 %), limit 1.0 %; blue 0.0 %",
        "looks": "1 of 1 looks at green failed, limit 50 %; /health: status 503",
        "no data": "green had 3 of the 50 requests that a window needs, in 60 s; "
        "green had 0 of 20 WebSocket handshakes and 2 open sockets",
        "probes": "green answered 60 of 63 requests (60 of them probes) with an error (95.2 %), limit 2.0 %; "
        "blue 0.1 %",
    }


def test_a_window_shows_every_value_beside_its_limit():
    judgement = judge(seen(), LIMITS)
    assert [(one.name, one.limit) for one in judgement.metrics] == [
        ("errors", pytest.approx(0.716, abs=0.001)),
        ("latency_p95", 0.2),
        ("latency_p99", 1.0),
        ("handshakes", 1.0),
        ("sockets_cut_short", 5.0),
    ]
    assert all(one.value is not None for one in judgement.metrics)
    assert judgement.why.startswith("errors 0.0 % (limit 0.7 %), latency_p95 12 ms (limit 200 ms)")


def test_too_few_to_tell_is_said():
    judgement = judge(seen(figures(50, errors=1), blue=None), LIMITS)
    assert judgement.why.startswith("errors 2.0 % (limit 2.0 %)")
    judgement = judge(seen(figures(50, errors=2), blue=None), LIMITS)
    assert judgement.why.startswith("errors 4.0 % (limit 2.0 %, 50 are too few to tell)")


def test_what_is_tried_out_does_not_decide():
    judgement = judge(seen(figures(errors=37)), replace(LIMITS, dry_run=["errors"]))
    assert judgement.outcome is GOOD
    assert (metric(judgement, "errors").outcome, metric(judgement, "errors").dry_run) == (BAD, True)


@pytest.mark.parametrize(
    ("further", "outcome", "at_once"),
    [
        (Metric("conflicts", GOOD, 1, 5), GOOD, False),
        (Metric("conflicts", BAD, 7, 5), BAD, False),
        (Metric("conflicts", BAD, 7, 5, critical=True), BAD, True),
        (Metric("conflicts", BAD, 7, 5, critical=True, dry_run=True), GOOD, False),
        (Metric("conflicts", UNKNOWN, why="no answer"), UNKNOWN, False),
        (Metric("conflicts", UNKNOWN, dry_run=True), GOOD, False),
    ],
)
def test_metrics_of_the_users_own(further, outcome, at_once):
    judgement = judge(seen(), LIMITS, [further])
    assert (judgement.outcome, judgement.at_once) == (outcome, at_once)


def test_the_critical_one_is_the_reason():
    further = Metric("conflicts", BAD, 7, 5, critical=True, why="conflicts is 7")
    assert judge(seen(figures(errors=37)), LIMITS, [further]).why == "conflicts is 7"


def test_mann_whitney_finds_what_percentiles_do_not_and_only_when_asked():
    slower = seen(figures(usual=30))
    assert judge(slower, LIMITS).outcome is GOOD
    judgement = judge(slower, replace(LIMITS, statistic="mann_whitney"))
    assert judgement.outcome is BAD
    assert judgement.why == (
        "green is slower than blue (Mann-Whitney, 0.0 % chance): median 30 ms of 410 requests, limit 21 ms; 11 ms"
    )
    for alike in (seen(), seen(figures(usual=20)), seen(figures(10, opened=20)), seen(blue=None)):
        assert judge(alike, replace(LIMITS, statistic="mann_whitney")).outcome is GOOD


@pytest.mark.parametrize(
    ("window", "why"),
    [
        (
            seen(figures(10, errors=10)),
            "green answered 10 of 10 requests with an error (100.0 %), limit 20.0 % at any time",
        ),
        (seen(figures(9, errors=9)), ""),
        (seen(figures(100, errors=25)), ""),  # not certain enough to do without a whole window
        (seen(figures(100, errors=35)), "green answered 35 of 100"),
        (seen(figures(50, errors=50, taken_over=50)), "blue had to answer 50 of them"),
        (seen(figures(refused=20)), "green refused 20 of 20 WebSocket handshakes (100.0 %), limit 50.0 % at any time"),
        (seen(figures(refused=9)), ""),
        (seen(looks=[["a"]] * 2), ""),
        (seen(looks=[["a"], [], ["a"], ["a"]]), ""),
        (seen(looks=[["a"]] * 2 + [["b"]]), "the last 3 looks at green failed; b"),
    ],
)
def test_what_does_not_wait(window, why):
    found = alarm(window, LIMITS)
    assert why in found
    assert bool(found) == bool(why)
    assert alarm(window, replace(LIMITS, dry_run=["errors", "handshakes", "probes"])) == ""


@pytest.mark.parametrize(("ratio", "limit"), [(2, 20), (0.1, 1), (10, 50), (60, 60)])
def test_the_limit_at_any_time(ratio, limit):
    assert replace(LIMITS, error_ratio=ratio).alarm == pytest.approx(limit)


def test_limits_are_options_of_the_gate():
    gate = {**vars(LIMITS), "error_ratio": 5.0, "interval": 30, "metrics": []}
    assert limits_of(gate) == replace(LIMITS, error_ratio=5.0)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(9.02, "%", "9.0 %"), (0.012, "s", "12 ms"), (1.84, "s", "1.84 s"), (7.0, "", "7"), (None, "%", "-")],
)
def test_values_for_people(value, unit, text):
    assert shown(value, unit) == text
