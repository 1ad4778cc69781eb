# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision import Decision
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Judgement, Outcome
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.machine import (
    Gate,
    Phase,
    Rules,
    Verdict,
    rules_of,
)

RULES = Rules(seconds=300, interval=30, window=60, warm_up=60, failures=3, of=5, measure_errors=4, decision_timeout=600)
LETTERS = {
    "g": Judgement(Outcome.GOOD, "all is well"),
    "b": Judgement(Outcome.BAD, "too many errors"),
    "u": Judgement(Outcome.UNKNOWN, "no data"),
    "!": Judgement(Outcome.BAD, "the metric that counts", at_once=True),
}


def decision(what, name="1"):
    return Decision(name, what, "it is late", "alice", "2026-11-22T12:45:00Z")


def play(windows, rules=RULES):
    """Show the gate one window after the other, at the times it wants; return it and the last time."""
    gate, now = Gate(rules), 0.0
    for letter in windows:
        now += gate.until_window(now)
        gate.see(now, LETTERS[letter])
    return gate, now


@pytest.mark.parametrize(
    ("windows", "verdict", "at"),
    [
        ("ggggggg", Verdict.PASS, 300),
        ("gggggg", None, 270),  # not before its time
        ("bbb", Verdict.FAIL, 180),
        ("bgbgb", Verdict.FAIL, 240),  # not in a row
        ("bgggbgg", Verdict.PASS, 300),  # two bad ones of five
        ("bggggbg", Verdict.PASS, 300),
        ("gggggbg", Verdict.PASS, 300),
        ("ggggggb", None, 300),  # the last one is bad: go on
        ("ggggggbg", Verdict.PASS, 330),
        ("ggggggbbb", Verdict.FAIL, 360),
        ("!", Verdict.FAIL, 120),
        ("ggg!", Verdict.FAIL, 210),
        ("gggguuug", Verdict.PASS, 330),
        ("uuug" + "ggg", Verdict.PASS, 300),
        ("ububub", Verdict.FAIL, 270),  # what could not be measured lies between, and does not excuse
        ("uuuu", None, 210),
        ("uuuugggggggg", None, 450),  # a person was asked; good windows no longer answer for him
        ("uuuubbb", Verdict.FAIL, 300),  # bad ones do
    ],
)
def test_what_becomes_of_windows(windows, verdict, at):
    gate, now = play(windows)
    assert (gate.said.verdict if gate.said else None, now) == (verdict, at)


def test_the_reason_is_the_window_that_decided():
    assert play("bbb")[0].said.why == "too many errors (3 bad of the last 3 windows)"
    assert play("!")[0].said.why == "the metric that counts"
    assert play("ggggggg")[0].said.why == "7 of 7 windows were good; all is well"


@pytest.mark.parametrize(
    ("now", "windows", "phase", "so_far"),
    [
        (0, "", Phase.WARM_UP, "no window yet"),
        (60, "", Phase.WATCH, "no window yet"),
        (120, "g", Phase.WATCH, "good so far"),
        (150, "gb", Phase.WATCH, "1 bad of the last 2 windows, limit 3"),
        (150, "gu", Phase.WATCH, "not measured 1 of 4 times"),
        (210, "uuuu", Phase.WAIT, "a person must decide"),
        (180, "bbb", Phase.ENDED, "fail"),
    ],
)
def test_what_it_says_on_the_way(now, windows, phase, so_far):
    gate, _now = play(windows)
    assert (gate.phase(now), gate.so_far) == (phase, so_far)


def test_a_short_pause_lasts_for_one_whole_window():
    rules = Rules(seconds=1, interval=1, window=3, warm_up=1, failures=2, of=3)
    gate, now = play("g", rules)
    assert (rules.least, now, gate.said.verdict) == (4, 4, Verdict.PASS)


@pytest.mark.parametrize(("window", "verdict"), [("g", Verdict.PASS), ("b", Verdict.FAIL), ("u", None)])
def test_no_pause_is_one_look(window, verdict):
    gate, now = play(window, rules_of(vars(RULES), 0))
    assert (gate.said.verdict if gate.said else None, now) == (verdict, 0)
    assert verdict or gate.phase(now) is Phase.WAIT


def test_nobody_decides():
    gate, now = play("uuuu")
    assert gate.waiting_for == "it could not be measured, 4 times in a row: no data"
    gate.tick(now + 599)
    assert (gate.said, gate.until_timeout(now + 599)) == (None, 1)
    gate.tick(now + 600)
    assert gate.said.verdict is Verdict.INCONCLUSIVE
    assert gate.said.why.endswith("no data; nobody decided within 600 seconds")


@pytest.mark.parametrize(
    ("windows", "what", "verdict"),
    [
        ("uuuu", "promote", Verdict.PASS),
        ("uuuu", "abort", Verdict.FAIL),
        ("gg", "abort", Verdict.FAIL),
        ("gg", "promote", None),  # the gate can decide itself
        ("gb", "promote", None),
    ],
)
def test_a_person_decides(windows, what, verdict):
    gate, now = play(windows)
    gate.decide(now, decision(what))
    assert (gate.said.verdict if gate.said else None) == verdict
    if verdict:
        assert gate.said.by == decision(what)
        assert gate.said.why == f"alice decided to {what} at 2026-11-22T12:45:00Z: it is late"


def test_to_promote_may_come_before_the_gate_asks():
    gate, now = play("uuu")
    gate.decide(now, decision("promote"))
    assert gate.said is None
    gate.see(now + 30, LETTERS["u"])
    assert gate.said.verdict is Verdict.PASS


def test_a_decision_about_something_else_does_not_count():
    gate, now = play("uuuu")
    gate.disregard(decision("abort"))
    gate.decide(now, decision("abort"))
    gate.decide(now, None)
    assert gate.said is None
    gate.decide(now, decision("promote", name="2"))
    assert gate.said.verdict is Verdict.PASS


def test_what_happens_elsewhere_ends_it():
    gate, _now = play("g")
    gate.fail("gl-edge2: green is dead")
    assert (gate.said.verdict, gate.said.why) == (Verdict.FAIL, "gl-edge2: green is dead")


def chance_rules(dice):
    of = dice.randint(1, 6)
    return Rules(
        seconds=dice.choice([0, 1, 5, 60, 300]),
        interval=dice.choice([1, 2, 10, 30]),
        window=dice.choice([1, 3, 60]),
        warm_up=dice.choice([0, 1, 60]),
        failures=dice.randint(1, of),
        of=of,
        measure_errors=dice.randint(1, 4),
        decision_timeout=dice.choice([0, 10, 1800]),
    )


@pytest.mark.parametrize("seed", range(400))
def test_whatever_it_is_shown_it_ends_once_and_never_promotes_what_it_has_not_seen_well(seed):
    dice = random.Random(seed)
    rules = chance_rules(dice)
    letters = dice.choices("gbu!", weights=[dice.random(), dice.random(), dice.random(), 0.02], k=4)
    weights = [dice.random() for _letter in letters]
    gate, now, shown = Gate(rules), 0.0, ""
    # Before the end of the pause windows come by the clock; then each one brings the end nearer.
    most = rules.least / rules.interval + rules.failures * rules.measure_errors + rules.measure_errors + 1
    most += rules.decision_timeout / rules.interval + 1
    while gate.said is None:
        now += gate.until_window(now) + dice.random()
        shown += dice.choices(letters, weights)[0]
        gate.see(now, LETTERS[shown[-1]])
        gate.tick(now)
        assert len(shown) <= most + 1
    said = gate.said
    if said.verdict is Verdict.PASS:
        assert shown[-1] == "g"
        assert now >= rules.least - rules.slack
        assert "u" * rules.measure_errors not in shown
        judged = shown.replace("u", "")
        assert all(judged[: end + 1][-rules.of :].count("b") < rules.failures for end in range(len(judged)))
    for letter in "gbu!":
        gate.see(now + 1, LETTERS[letter])
    gate.decide(now + 2, decision("promote"))
    gate.fail("too late")
    gate.tick(now + 10000)
    assert gate.said is said


@pytest.mark.parametrize("seed", range(50))
def test_without_data_it_never_promotes(seed):
    dice = random.Random(seed)
    rules = chance_rules(dice)
    gate, now = Gate(rules), 0.0
    while gate.said is None:
        now += gate.until_window(now)
        gate.see(now, LETTERS["u"])
        gate.tick(now)
    assert gate.said.verdict is Verdict.INCONCLUSIVE
