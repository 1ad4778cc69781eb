# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.verdict import BEGINNING, Failure, decide

WANTED = ["app1", "app2", "app3"]


def test_all_did_it() -> None:
    verdict = decide("start", WANTED, {*WANTED, "localhost"}, {}, BEGINNING.as_fact())
    assert verdict.go
    assert verdict.sentence == "start: done on all 3 hosts."


def test_one_failure_is_a_no_for_all() -> None:
    verdict = decide("start", WANTED, WANTED, {"app2": {"task": "Start it", "reason": "port taken."}})
    assert not verdict.go
    assert verdict.sentence == "start: 1 of 3 hosts failed; app2 in 'Start it': port taken."


def test_a_host_that_left_the_play_was_lost() -> None:
    verdict = decide("start", WANTED, ["app1", "app3"], {})
    assert verdict.failures == (Failure("app2", "", "unreachable"),)


def test_a_reason_counts_more_than_being_gone() -> None:
    verdict = decide("start", WANTED, [], {"app1": {"task": "t", "reason": "r"}})
    assert [failure.reason for failure in verdict.failures] == ["r", "unreachable", "unreachable"]
    assert verdict.sentence.endswith("app1 in 't': r, and 2 more.")


def test_a_failure_of_a_host_that_was_not_wanted_does_not_count() -> None:
    assert decide("start", ["app1"], ["app1"], {"app2": {"task": "t", "reason": "r"}}).go


def test_a_no_stays_a_no() -> None:
    first = decide("start", WANTED, [], {})
    assert decide("shift", WANTED, WANTED, {}, first.as_fact()) == first


def test_one_host_is_not_several() -> None:
    assert decide("shift", ["edge"], ["edge"], {}).sentence == "shift: done."
    assert "1 of 1 host failed" in decide("shift", ["edge"], [], {}).sentence


def test_a_wave_is_named_where_there_are_several() -> None:
    assert decide("start", ["app1"], ["app1"], {}, wave=(1, 3)).sentence == "start (wave 1 of 3): done."
    failed = decide("start", WANTED, ["app1"], {}, wave=(2, 3))
    assert failed.sentence == "start (wave 2 of 3): 2 of 3 hosts failed; app2: unreachable, and 1 more."
    assert failed.step == "start"
