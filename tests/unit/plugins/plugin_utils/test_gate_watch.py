# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Limits, Metric, Outcome
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.machine import Rules, Verdict
from ansible_collections.greenlight.deploy.plugins.plugin_utils.gate_watch import Subject, Unreachable, Watch

RULES = Rules(seconds=60, interval=10, window=20, warm_up=20, failures=2, of=3, measure_errors=2, decision_timeout=60)
GREEN = Subject("green", "blue", 10, websockets=True, synthetic=True, how_to_decide="decide.yml")
COST = 0.3
"""Seconds that a call takes beyond the slice."""


def figures(rate, seconds, errors=0.0):
    requests = round(rate * seconds)
    failed = round(requests * errors)
    return Figures(requests=requests, errors=failed, latencies={12: requests} if requests else {})


class Proxy:
    """A proxy in a world whose time passes in calls and sleeps alone."""

    def __init__(self, green=40.0, blue=370.0, errors=None, state="green-10"):
        self.now = 1000.0
        self.green, self.blue, self.state = green, blue, state
        self.errors = errors or (lambda now: 0.0)
        self.problems = lambda now: []
        self.decision = lambda now: None
        self.fault = lambda now: None
        self.metrics = []
        self.gap, self.unreadable = False, 0
        self.bell = lambda now: ""
        self.asked, self.lines, self.shown_at = [], [], []

    @property
    def passed(self):
        return self.now - 1000

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    def sample(self, arguments):
        self.asked.append(dict(arguments))
        fault = self.fault(self.passed)
        if fault:
            self.now += COST
            raise fault
        before, errors = self.now, self.errors(self.passed)
        alarmed = errors * 100 > arguments.get("alarm", 100) and self.green
        self.now += min(1.0, arguments["seconds"]) if alarmed else arguments["seconds"]
        self.now += COST
        seconds = self.now - before
        mine, other = figures(self.green, seconds, errors), figures(self.blue, seconds)
        probes = None
        if arguments.get("probe", True):
            count = max(2, arguments["requests"] - mine.requests)
            probed = Figures(requests=count, opened=max(1, arguments["sockets"]), latencies={8: count})
            probes = {**probed.as_dict(), "problems": self.problems(self.passed)}
        return {
            "cursor": {"inode": 1, "offset": int(self.now)},
            "seconds": seconds,
            "colours": {"green": {**mine.as_dict(), "sockets": 30}, "blue": {**other.as_dict(), "sockets": 270}},
            "probes": probes,
            "state": self.state,
            "decision": self.decision(self.passed),
            "cpu_seconds": 0.2,
            "gap": self.gap,
            "unreadable": self.unreadable,
        }

    def measure(self):
        return self.metrics

    def say(self, line):
        self.lines.append(line)
        self.shown_at.append(self.passed)

    def stopped(self):
        return self.bell(self.passed)


def watch(proxy, rules=RULES, subject=GREEN, **limits):
    return Watch(subject, rules, Limits(**limits), proxy).run()


def test_a_good_share_passes_when_its_time_is_over():
    proxy = Proxy()
    outcomes = watch(proxy)
    assert outcomes.said.verdict is Verdict.PASS
    assert 59 <= outcomes.seconds < 72
    assert outcomes.cost["calls"] == len(proxy.asked)
    assert outcomes.cost["percent"] == pytest.approx(100 * 0.2 * len(proxy.asked) / outcomes.seconds, abs=0.1)
    assert [window["outcome"] for window in outcomes.windows] == ["good"] * len(outcomes.windows)
    assert re.fullmatch(
        r"green 10 %   \d+ s of 60 s   green 40 req/s 0.0 % errors p95 12 ms 30 sockets   \d+ probes   "
        r"blue 370 req/s 0.0 % errors p95 12 ms 270 sockets   good so far",
        proxy.lines[-2],
    )


def test_every_ten_seconds_there_is_a_line_also_when_windows_are_far_apart():
    proxy = Proxy()
    watch(proxy, Rules(seconds=300, interval=60))
    gaps = [later - sooner for sooner, later in zip([0, *proxy.shown_at], proxy.shown_at, strict=False)]
    assert max(gaps) <= 10


def test_no_window_holds_the_warm_up():
    proxy = Proxy(errors=lambda now: 0.15 if now < 15 else 0.0)
    outcomes = watch(proxy)
    assert outcomes.said.verdict is Verdict.PASS
    assert outcomes.windows[0]["at"] >= 40
    assert outcomes.windows[0]["colours"]["green"]["errors"] == 0


def test_bad_windows_send_it_back_and_the_sentence_has_value_and_limit():
    outcomes = watch(Proxy(errors=lambda now: 0.09))
    assert outcomes.said.verdict is Verdict.FAIL
    assert outcomes.said.why.startswith("green answered 7")
    assert "requests with an error (9.0 %), limit 2.0 %; blue 0.0 %" in outcomes.said.why
    assert outcomes.said.why.endswith("(2 bad of the last 2 windows)")


def test_a_dead_candidate_does_not_wait_for_the_end_of_the_warm_up():
    proxy = Proxy(errors=lambda now: 1.0 if now > 5 else 0.0)
    outcomes = watch(proxy)
    assert outcomes.said.verdict is Verdict.FAIL
    assert outcomes.seconds < 15
    assert "limit 20.0 % at any time" in outcomes.said.why


def test_without_clients_probes_say_it():
    proxy = Proxy(green=0, blue=0)
    assert watch(proxy).said.verdict is Verdict.PASS
    assert max(asked["requests"] for asked in proxy.asked[1:]) > 20


def test_three_looks_that_fail_are_enough_and_come_quickly():
    proxy = Proxy(green=0)
    proxy.problems = lambda now: ["/health: no answer within 5.0 s"] if now > 9 else []
    outcomes = watch(proxy)
    assert outcomes.said.why == "the last 3 looks at green failed; /health: no answer within 5.0 s"
    assert outcomes.seconds < 25


def test_no_data_is_no_pass_and_a_person_is_asked_once():
    proxy = Proxy(green=0)
    subject = Subject("green", "blue", 10, websockets=False, synthetic=False, how_to_decide="decide.yml")
    outcomes = watch(proxy, subject=subject)
    assert outcomes.said.verdict is Verdict.INCONCLUSIVE
    assert "green had 0 of the 50 requests that a window needs" in outcomes.said.why
    assert sum("decide.yml" in line for line in proxy.lines) == 1
    assert proxy.lines[-2].endswith(" s left")
    assert any(line.startswith("Decide within ") for line in proxy.lines)


@pytest.mark.parametrize(("what", "verdict"), [("promote", Verdict.PASS), ("abort", Verdict.FAIL)])
def test_a_person_answers(what, verdict):
    def decided(now):
        old = {"id": "1", "decision": "abort", "reason": "old", "by": "bob", "at": "yesterday"}
        return {"id": "2", "decision": what, "reason": "late", "by": "alice", "at": "now"} if now > 70 else old

    proxy = Proxy(green=0)
    proxy.decision = decided
    subject = Subject("green", "blue", 10, websockets=False, synthetic=False)
    outcomes = watch(proxy, subject=subject)
    assert (outcomes.said.verdict, outcomes.said.by.id) == (verdict, "2")


def test_what_cannot_be_measured_is_said_and_asked():
    proxy = Proxy()
    proxy.fault = lambda now: GreenlightError("the access log cannot be read", where="/var/log") if now > 3 else None
    outcomes = watch(proxy)
    assert outcomes.said.verdict is Verdict.INCONCLUSIVE
    assert "2 times in a row: /var/log: the access log cannot be read" in outcomes.said.why
    assert "cannot measure: the access log cannot be read" in proxy.lines


def test_lines_that_are_lost_or_not_ours_are_said():
    proxy = Proxy()
    proxy.gap, proxy.unreadable = True, 7
    watch(proxy)
    assert "the access log was cut or removed while it was read: some requests are not counted" in proxy.lines
    assert "7 lines of the access log are none of ours and are not counted" in proxy.lines


def test_a_fault_that_passes_costs_no_verdict_and_no_line_of_the_log():
    proxy = Proxy()
    proxy.fault = lambda now: GreenlightError("busy") if 20 < now < 30 else None
    assert watch(proxy).said.verdict is Verdict.PASS
    positions = [asked["since"].get("offset", 0) for asked in proxy.asked]
    assert positions == sorted(positions)


def test_a_proxy_that_is_lost_is_lost():
    proxy = Proxy()
    proxy.fault = lambda now: Unreachable("no route to host") if now > 20 else None
    with pytest.raises(Unreachable):
        watch(proxy)
    assert proxy.passed < 60


def test_a_proxy_that_comes_back_goes_on():
    proxy = Proxy()
    proxy.fault = lambda now: Unreachable("no route to host") if 20 < now < 22 else None
    assert watch(proxy).said.verdict is Verdict.PASS


def test_another_proxy_says_stop():
    proxy = Proxy()
    proxy.bell = lambda now: "gl-edge2: green is dead" if now > 12 else ""
    outcomes = watch(proxy)
    assert (outcomes.said.verdict, outcomes.said.why) == (Verdict.FAIL, "gl-edge2: green is dead")


def test_traffic_that_was_taken_away_ends_it():
    outcomes = watch(Proxy(state="blue"))
    assert outcomes.said.why == (
        "every client was sent back to blue meanwhile: the proxy is in state blue, no longer in green-10"
    )


@pytest.mark.parametrize(
    ("subject", "state"),
    [
        (Subject("green", "blue", 100, websockets=True, synthetic=True), "green"),
        (Subject("green", "blue", 100, websockets=True, synthetic=True), "green-100"),
        (Subject("green", "blue", 0, websockets=True, synthetic=True), "blue"),
        (Subject("blue", "", 100, websockets=True, synthetic=True), "none"),
    ],
)
def test_states_in_which_the_candidate_has_its_share(subject, state):
    assert watch(Proxy(state=state), subject=subject).said.verdict is Verdict.PASS


def test_a_metric_of_the_users_own_that_counts_ends_it():
    proxy = Proxy()
    proxy.metrics = [Metric("conflicts", Outcome.BAD, 7, 5, why="conflicts is 7, limit at most 5", critical=True)]
    outcomes = watch(proxy)
    assert (outcomes.said.verdict, outcomes.said.why) == (Verdict.FAIL, "conflicts is 7, limit at most 5")
    proxy = Proxy()
    proxy.metrics = [Metric("conflicts", Outcome.BAD, 7, 5, critical=True)]
    assert watch(proxy, dry_run=["conflicts"]).said.verdict is Verdict.PASS


@pytest.mark.parametrize("rules", [RULES, Rules(seconds=4, interval=1, window=3, warm_up=1), Rules(seconds=0)])
def test_short_profiles_and_none_at_all(rules):
    assert watch(Proxy(green=20), rules=rules, minimum_requests=10, minimum_sockets=2).said.verdict is Verdict.PASS
