# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.drain import (
    Ledger,
    Report,
    fill,
    ledger,
    ranges,
    report_of,
    request_body,
    wait_until_empty,
)


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ([], ""),
        (["c07"], "7"),
        (["c00", "c01", "c02", "c15"], "0-2,15"),
        (["c99", "c98"], "98-99"),
        ([f"c{number:02d}" for number in range(100)], "0-99"),
        (["all"], "all"),
    ],
)
def test_classes_are_written_as_ranges(classes: list[str], text: str) -> None:
    assert ranges(classes) == text


@pytest.mark.parametrize("name", ["c1", "green", "c100", "all"])
def test_a_class_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="there is no class"):
        ranges(["c00", name])


def test_the_command_is_filled_in() -> None:
    command = ["python", "manage.py", "drain", "--classes={classes}", "--over", "{seconds}", "{colour}"]
    filled = fill(command, classes=["c00", "c01"], seconds=5, colour="blue", python="/opt/shop/blue/venv/bin/python")
    assert filled == ["/opt/shop/blue/venv/bin/python", "manage.py", "drain", "--classes=0-1", "--over", "5", "blue"]


def test_only_the_first_word_is_the_interpreter() -> None:
    assert fill(["env", "python"], classes=["c00"], seconds=1, colour="blue", python="/x") == ["env", "python"]


def emptying(counts: list[int], deadline: float) -> float:
    now = 0.0

    def sleep(amount: float) -> None:
        nonlocal now
        now += amount

    return wait_until_empty(lambda: counts.pop(0), deadline, lambda: now, sleep)


@pytest.mark.parametrize(
    ("counts", "deadline", "seconds"),
    [([0], 10, 0.0), ([5, 2, 0], 10, 0.5), ([5] * 5, 1, 1.0), ([5] * 3, 0.3, 0.3), ([5], 0, 0.0)],
)
def test_it_waits_until_nobody_is_left_or_the_deadline(counts: list[int], deadline: float, seconds: float) -> None:
    assert emptying(counts, deadline) == pytest.approx(seconds)
    assert counts == []


def test_what_an_instance_is_asked_with() -> None:
    body = json.loads(request_body(["c00", "c01"], 5, 4012))
    assert body == {"classes": "0-1", "over": 5, "code": 4012}


ANSWER = {"open": 5, "asked": 3, "closed": 7, "by_themselves": 1, "requests": 2, "classes": {"c00": 5}, "code": 4012}


def test_what_an_instance_says() -> None:
    report = report_of(8101, 202, ANSWER, "")
    assert report == Report(8101, open=5, requests=2, asked=3, closed=7, by_themselves=1)
    assert report.busy == 7


@pytest.mark.parametrize(
    ("status", "answer", "error", "why"),
    [
        (0, None, "connection refused", "connection refused"),
        (404, {"error": "not found"}, "", "it answered 404: it has no drain contract, or another token"),
        (301, None, "", "it answered 301"),
        (200, [], "", "it answered 200"),
        (200, {"open": "5"}, "", "it answered 200"),
        (200, {"open": -1}, "", "it answered 200"),
        (200, {"open": True}, "", "it answered 200"),
    ],
)
def test_what_is_no_answer_by_the_contract(status: int, answer: object, error: str, why: str) -> None:
    report = report_of(8101, status, answer, error)
    assert report.why.startswith(why)
    assert report.open == 0


FIRST = [
    Report(8101, open=10, asked=10, closed=4, by_themselves=1),
    Report(8102, open=6, asked=6, closed=50, by_themselves=9),
]
LAST = [
    Report(8101, open=1, closed=12, by_themselves=2),
    Report(8102, open=0, closed=3, by_themselves=1),  # it began anew
]


@pytest.mark.parametrize(
    ("first", "last", "others", "expected"),
    [
        ([], [], (8, 3), Ledger(8, None, None, None, 3)),
        (FIRST[:1], FIRST[:1], (0, 0), Ledger(10, 10, 0, 0, 10)),
        (FIRST[:1], LAST[:1], (0, 0), Ledger(10, 10, 8, 1, 1)),
        (FIRST, LAST, (0, 0), Ledger(16, 16, 8, 1, 1)),
        (FIRST[:1], LAST[:1], (4, 2), Ledger(14, 10, 8, 1, 3)),
    ],
)
def test_the_ledger(first: list[Report], last: list[Report], others: tuple[int, int], expected: Ledger) -> None:
    assert ledger(first, last, others) == expected
