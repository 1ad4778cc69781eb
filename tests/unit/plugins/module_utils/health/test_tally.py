# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.tally import (
    KEPT_FAILURES,
    Tally,
    percentile,
    total,
)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, 0.0), ([7], 0.99, 7), ([1, 2, 3, 4], 0.5, 2), ([4, 3, 2, 1], 0.75, 3), (range(1, 101), 0.99, 99),
     ([1, 2], 1.0, 2), ([1, 2], 0.0, 1)],
)  # fmt: skip
def test_percentile_is_a_value_that_was_seen(values, share, expected):
    assert percentile(values, share) == expected


def test_requests_and_failures_are_counted_by_kind_with_their_time():
    tally = Tally()
    tally.answered(0.2, 0.01, "blue")
    tally.failed(1.5, "closed")
    act = tally.act.as_dict()
    assert (act["requests"], act["failed"], act["failures"]) == (2, 1, {"closed": 1})
    assert act["failure_times"] == [[1.5, "closed"]]
    assert act["latency_s"]["max"] == 0.01


def test_the_last_answer_of_each_colour_is_told_from_the_start_of_the_act():
    tally = Tally()
    tally.answered(1.0, 0.01, "blue")
    tally.cut("next", 2.0)
    tally.answered(2.5, 0.01, "blue")
    tally.answered(3.25, 0.01, "green")
    tally.answered(3.5, 0.01, "blue")
    assert tally.act.as_dict()["last_answers"] == {"blue": 1.5, "green": 1.25}


def test_the_last_failure_of_an_act_is_told_however_many_there_were():
    tally = Tally()
    assert tally.act.as_dict()["last_failed_s"] is None
    tally.cut("next", 1.0)
    for number in range(KEPT_FAILURES + 1):
        tally.failed(2.0 + number, "500")
    act = tally.act.as_dict()
    assert (len(act["failure_times"]), act["last_failed_s"]) == (KEPT_FAILURES, 1.0 + KEPT_FAILURES)


def test_an_item_whose_sender_was_told_that_it_failed_is_counted_apart_too():
    tally = Tally()
    for item in ("told", "silent"):
        tally.sent(item, 0.0)
    tally.gave_up("told")
    tally.settle(tally.act)
    act = tally.act.as_dict()
    assert (act["items_lost"], act["items_given_up"]) == (2, 1)


def test_a_resend_is_not_a_second_item():
    tally = Tally()
    tally.sent("a", 0.0)
    tally.sent("a", 1.0)
    assert tally.acked("a", 1.5, duplicate=True)
    act = tally.act
    assert (act.items_sent, act.items_resent, act.items_acked, act.items_doubled) == (1, 1, 1, 0)
    assert act.ack_latencies == [1.5]


def test_a_second_acknowledgement_that_is_no_duplicate_is_a_double_once():
    tally = Tally()
    tally.sent("a", 0.0)
    for _turn in range(3):
        tally.acked("a", 1.0, duplicate=False)
    assert (tally.act.items_acked, tally.act.items_doubled) == (1, 1)


def test_a_second_acknowledgement_that_says_duplicate_is_none():
    tally = Tally()
    tally.sent("a", 0.0)
    tally.acked("a", 1.0, duplicate=False)
    tally.acked("a", 1.0, duplicate=True)
    assert tally.act.items_doubled == 0


def test_an_acknowledgement_of_nothing_is_refused():
    assert not Tally().acked("a", 1.0, duplicate=False)


def test_an_item_belongs_to_the_act_in_which_it_was_sent():
    tally = Tally("one")
    tally.sent("a", 0.9)
    tally.sent("b", 0.9)
    ended = tally.cut("two", 1.0)
    tally.acked("a", 1.1, duplicate=False)
    tally.sent("c", 1.2)
    tally.settle(ended)
    assert (ended.items_sent, ended.items_acked, ended.items_lost) == (2, 1, 1)
    assert (tally.act.items_sent, tally.act.items_lost) == (1, 0)
    assert tally.unacked == {"b", "c"}


def test_an_item_acknowledged_that_the_server_has_not_is_lost():
    tally = Tally("one")
    tally.sent("a", 0.0)
    tally.acked("a", 0.1, duplicate=False)
    first = tally.cut("two", 1.0)
    tally.sent("b", 1.0)
    tally.acked("b", 1.1, duplicate=False)
    tally.sent("c", 1.0)
    tally.compare(["b"])
    assert (first.items_lost, tally.act.items_lost) == (1, 1)


def test_an_item_that_its_client_gave_up_is_lost_and_not_waited_for():
    tally = Tally()
    tally.sent("a", 0.0)
    tally.gave_up("a")
    tally.gave_up("never sent")
    assert (tally.unacked, tally.unacked_of(tally.act)) == (frozenset(), 0)
    tally.compare([])
    assert tally.act.items_lost == 1


def test_the_larger_count_of_doubles_stands():
    tally = Tally()
    tally.server_doubled(tally.act, 3)
    tally.server_doubled(tally.act, 1)
    assert tally.act.items_doubled == 3


def test_sockets_are_counted_by_colour_and_second():
    tally = Tally()
    tally.opened("blue")
    tally.opened("blue")
    tally.sample(0.1)
    tally.closed("blue", 4012)
    tally.opened("green")
    tally.back(0.4)
    tally.sample(1.1)
    tally.answered(1.2, 0.1, "green")
    tally.left("blue")
    assert tally.open_sockets() == {"green": 1}
    act = tally.act.as_dict()
    assert act["share"] == [
        {"second": 0, "answers": {}, "sockets": {"blue": 2}},
        {"second": 1, "answers": {"green": 1}, "sockets": {"blue": 1, "green": 1}},
    ]
    assert (act["reconnects"], act["close_codes"], act["away_max_s"]) == (1, {"4012": 1}, 0.4)


def test_seconds_of_an_act_begin_with_it():
    tally = Tally()
    tally.cut("two", 10.6)
    tally.answered(11.0, 0.1, "blue")
    tally.end(13.1)
    act = tally.act.as_dict()
    assert act["seconds"] == 2.5
    assert [row["second"] for row in act["share"]] == [0, 1]


def test_acts_are_summed():
    tally = Tally("one")
    tally.failed(0.0, "503")
    tally.cut("two", 1.0)
    tally.answered(1.0, 0.1, "blue")
    sums = total([act.as_dict() for act in tally.acts])
    assert (sums["requests"], sums["failed"], sums["items_lost"]) == (2, 1, 0)
