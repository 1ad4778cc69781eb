# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import lock as locks
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import sentences
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import Moment
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.lease.samples import (
    ANN,
    FREEZE,
    START,
    after,
)

LOCK = locks.grant(ANN, START, "token")
RETURNED = {"at": "2026-11-22T12:51:09Z", "from": "green-10", "to": "blue", "why": "silence"}


@pytest.mark.parametrize(
    ("claim", "now", "said"),
    [
        (
            ANN,
            after(50),
            "locked by ann@laptop (deployment d1, v2.0.0, release) since 12:00:00 UTC, for 50 s; 70 s of its lease",
        ),
        (replace(ANN, lease=28800), after(9), "for 9 s; 8.0 h of its lease are left"),
        (ANN, after(600), "since 12:00:00 UTC, for 10 min; its lease is over"),
        (ANN, Moment("boot-b", 1, START.wall), "since 12:00:00 UTC; 119 s"),
        (
            FREEZE,
            after(9),
            "locked by ann@laptop (without a run, audit) since 12:00:00 UTC, for 9 s; until it is released",
        ),
    ],
)
def test_who_holds_it(claim, now, said):
    assert said in sentences.held(locks.shown(locks.grant(claim, START, "t"), now))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("dead", "its process 4711 on laptop is dead"),
        ("expired", "it was last renewed at 12:00:00 UTC and its lease of 120 s is over"),
        ("stolen", "by force: urgent"),
    ],
)
def test_a_takeover_says_with_what_right(how, said):
    assert sentences.taken_over(locks.shown(LOCK, after(9)), how, "urgent").endswith(said)


def test_a_freeze_can_be_taken_over_too():
    shown = locks.shown(locks.grant(FREEZE, START, "t"), after(9))
    assert "by force: urgent" in sentences.taken_over(shown, "stolen", "urgent")


def test_what_was_lost():
    assert sentences.lost(locks.shown(LOCK, after(9))) == "ann@laptop took the lock over at 12:00:00 UTC for: release"
    assert sentences.lost(None) == "somebody removed the lock of this run"


def test_what_the_switch_did():
    assert sentences.returned(RETURNED) == (
        "gave all clients back to blue by itself at 12:51:09 UTC (it was green-10): silence"
    )
