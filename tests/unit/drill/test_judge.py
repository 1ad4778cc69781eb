# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.drill.judge import Expect, Facts, judge, lock_of

REFUSED = Expect(deployed=False, serving="v1", failed_percent=1.0, why="at 10 %")
GREEN = Facts(
    status=2,
    reason="Not deployed. watch green at 10 %",
    requests=1000,
    failed=10,
    after="v1 (blue)",
    states={"edge": "blue"},
    locks={"edge": "free"},
    sockets={"blue": 60},
    wanted_sockets=60,
    seconds=30.0,
)


def test_a_cell_in_which_all_is_as_expected_is_green():
    assert judge(REFUSED, GREEN) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": 0}, "exit status 0, expected another than 0"),
        ({"reason": "Not deployed. build failed"}, "it did not say 'at 10 %'"),
        ({"after": "nobody"}, "nobody serves, expected v1"),
        ({"failed": 11, "failures": {"500": 11}}, "11 of 1000 requests failed (11 x 500), expected at most 1.0 %"),
        ({"items_lost": 1}, "1 items lost"),
        ({"items_doubled": 2}, "2 items doubled"),
        ({"sockets": {"blue": 59}}, "sockets are at {'blue': 59}, expected 60 at blue"),
        ({"states": {"edge": "green-10"}}, "edge is left at green-10"),
        ({"locks": {"edge": "held"}}, "edge is locked without an end"),
        ({"problems": ["it never said so"]}, "it never said so"),
    ],
)  # fmt: skip
def test_each_thing_that_is_not_as_expected_is_said(change, said):
    assert judge(REFUSED, replace(GREEN, **change)) == [said]


def test_nobody_may_be_hurt_where_nothing_is_said_about_it():
    expect = Expect(deployed=False, serving="v1")
    assert judge(expect, GREEN) == ["10 of 1000 requests failed (), expected none"]


@pytest.mark.parametrize(
    ("lock", "state"),
    [(None, "free"), ({"claim": {"lease": 20}}, "expiring"), ({"lease": 20}, "expiring"), ({"claim": {}}, "held")],
)
def test_a_lock_is_free_expiring_or_held(lock, state):
    assert lock_of(lock) == state


def test_where_sockets_are_kept_none_may_be_cut():
    expect = replace(REFUSED, moved=False)
    assert judge(expect, replace(GREEN, sockets={"green": 60})) == []
    said = judge(expect, replace(GREEN, sockets={"green": 59}))
    assert said == ["sockets are at {'green': 59}, expected 60 at green"]
