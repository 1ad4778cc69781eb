# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When an instance is ready, and when it never will be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import Instance
from ansible_collections.greenlight.deploy.plugins.module_utils.services.readiness import (
    FAILED,
    READY,
    WAITING,
    Limits,
    Probe,
    Watch,
    first_failed,
    limits_from,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState

INSTANCE = Instance("web", "x-web-blue@8101.service", 8101)
LIMITS = Limits(timeout=60, interval=1, successes=3, steady=10)
UP = UnitState(INSTANCE.unit, "loaded", "active", "running", pid=7, active_since=100.0)
GOOD, BAD = Probe(ok=True), Probe(ok=False, asked="GET /readiness", answer="503")


def watched(*seen: tuple[float, UnitState, Probe], limits: Limits = LIMITS, restarts: int = 0) -> Watch:
    watch = Watch(INSTANCE, limits, 100.0, restarts)
    for now, unit, probe in seen:
        watch.observe(now, unit, probe)
    return watch


def test_ready_takes_successes_in_a_row_and_time_without_a_restart():
    assert watched((101, UP, GOOD), (102, UP, GOOD)).state == WAITING
    assert watched((101, UP, GOOD), (102, UP, GOOD), (103, UP, GOOD)).state == WAITING
    ready = watched((101, UP, GOOD), (102, UP, GOOD), (103, UP, GOOD), (110, UP, GOOD))
    assert (ready.state, ready.seconds, ready.why) == (READY, 10.0, "")


def test_a_failure_between_starts_the_row_again():
    assert watched((109, UP, GOOD), (110, UP, GOOD), (111, UP, BAD), (112, UP, GOOD), (113, UP, GOOD)).state == WAITING


def test_a_restart_starts_the_time_again():
    again = replace(UP, restarts=1, active_since=109.0)
    watch = watched((110, again, GOOD), (111, again, GOOD), (112, again, GOOD))
    assert watch.state == WAITING
    assert watch.observe(119, again, GOOD) == READY


def test_two_restarts_are_a_crash_loop_and_end_the_wait_early():
    between = replace(UP, active="activating", sub="auto-restart", pid=0, restarts=1)
    watch = watched((101, between, BAD), (103, replace(between, restarts=2), BAD))
    assert watch.state == FAILED
    assert watch.why == "crash loop: 2 restarts in 3 s"


def test_restarts_of_long_ago_do_not_count():
    assert watched((101, replace(UP, restarts=5), GOOD), restarts=5).state == WAITING


def test_a_crash_loop_is_never_ready_even_when_it_answers():
    limits = replace(LIMITS, successes=1, steady=0)
    assert watched((101, replace(UP, restarts=2), GOOD), limits=limits).state == FAILED


def test_a_unit_that_failed_ends_the_wait():
    assert watched((101, replace(UP, active="failed", pid=0), BAD)).why == "the unit failed"


def test_a_unit_that_is_not_there_ends_the_wait():
    assert "not-found" in watched((101, UnitState(INSTANCE.unit), BAD)).why


def test_a_probe_that_another_process_answers_does_not_count():
    limits = replace(LIMITS, successes=1, steady=0)
    assert watched((101, replace(UP, pid=0), GOOD), limits=limits).state == WAITING


def test_an_instance_that_is_up_and_refuses_is_not_waited_for_as_long_as_one_that_starts():
    limits = replace(LIMITS, refusal=5)
    refused, silent = replace(BAD, refused=True), replace(BAD, answer="connection refused")
    watch = watched((110, UP, silent), (120, UP, silent), (121, UP, refused), (124.9, UP, refused), limits=limits)
    assert watch.state == WAITING
    assert watch.observe(125, UP, refused) == FAILED
    assert watch.why == "up, and not ready for 5 s"


def test_readiness_in_between_ends_a_refusal():
    refused = replace(BAD, refused=True)
    seen = (101, UP, refused), (104, UP, GOOD), (108, UP, refused)
    assert watched(*seen, limits=replace(LIMITS, refusal=5)).state == WAITING


def test_the_deadline():
    assert watched((159.9, UP, BAD)).state == WAITING
    late = watched((160, UP, BAD))
    assert (late.state, late.why, late.probe) == (FAILED, "not ready after 60 s", BAD)


def test_ready_at_the_last_moment_is_ready():
    assert watched((158, UP, GOOD), (159, UP, GOOD), (160, UP, GOOD)).state == READY


def test_the_end_is_the_end():
    watch = watched((160, UP, BAD))
    assert watch.observe(161, UP, GOOD) == FAILED


def test_the_first_that_failed_is_reported():
    good, bad = Watch(INSTANCE, LIMITS, 0), watched((160, UP, BAD))
    assert first_failed([good, bad]) is bad
    assert first_failed([good]) is None


def test_defaults():
    assert limits_from({}) == Limits(timeout=60, interval=1, probe_timeout=5, successes=3, steady=10)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"timeout": 0}, "readiness.timeout"),
        ({"timeout": 601}, "readiness.timeout"),
        ({"interval": 0}, "readiness.interval"),
        ({"successes": 0}, "readiness.successes"),
        ({"steady": -1}, "readiness.steady"),
        ({"timeout": 10}, "less than readiness.timeout"),
        ({"timout": 10}, "unknown key timout"),
    ],
)
def test_limits_that_make_no_sense_are_refused(raw, expected):
    with pytest.raises(InvalidInput, match=expected):
        limits_from(raw)
