# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.drain import (
    Emptying,
    fill,
    ranges,
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


def emptying(counts: list[int], deadline: float) -> Emptying:
    now = 0.0

    def sleep(amount: float) -> None:
        nonlocal now
        now += amount

    return wait_until_empty(lambda: counts.pop(0), deadline, lambda: now, sleep)


@pytest.mark.parametrize(
    ("counts", "deadline", "result"),
    [
        ([0], 10, Emptying(0, 0, 0.0)),
        ([5, 2, 0], 10, Emptying(5, 0, 1.0)),
        ([5, 5, 5], 1, Emptying(5, 5, 1.0)),
        ([5], 0, Emptying(5, 5, 0.0)),
    ],
)
def test_it_waits_until_nobody_is_left_or_the_deadline(counts: list[int], deadline: float, result: Emptying) -> None:
    assert emptying(counts, deadline) == result
