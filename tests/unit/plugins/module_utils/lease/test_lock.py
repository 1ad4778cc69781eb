# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import lock as locks
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.lock import How, LockDamaged
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import Moment
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.lease.samples import (
    ANN,
    BOB,
    FREEZE,
    START,
    after,
)

LOCK = locks.grant(ANN, START, "token")
REBORN = replace(ANN, process=replace(ANN.process, pid=4712))


@pytest.mark.parametrize(
    ("lock", "claim", "now", "options", "how"),
    [
        (None, ANN, START, {}, How.FREE),
        (LOCK, ANN, after(60), {}, How.OWN),
        (LOCK, ANN, after(600), {}, How.OWN),  # late, but nobody took it
        (LOCK, replace(ANN, version="v3"), after(1), {}, How.OWN),
        (LOCK, BOB, after(60), {}, How.HELD),
        (LOCK, BOB, after(119), {"steal": True}, How.STOLEN),
        (LOCK, BOB, after(120), {}, How.EXPIRED),
        (LOCK, BOB, after(120), {"steal": True}, How.EXPIRED),
        (LOCK, REBORN, after(1), {}, How.HELD),  # the same deployment in another process is another
        (LOCK, REBORN, after(1), {"dead": "token"}, How.DEAD),
        (LOCK, REBORN, after(1), {"dead": "of a lock before"}, How.HELD),
        (LOCK, BOB, Moment("boot-b", 10, "x"), {}, How.HELD),
        (LOCK, BOB, Moment("boot-b", 121, "x"), {}, How.EXPIRED),
        (locks.grant(FREEZE, START, "t"), FREEZE, after(1), {}, How.OWN),
        (locks.grant(FREEZE, START, "t"), ANN, after(10**7), {}, How.HELD),
    ],
)
def test_who_gets_it(lock, claim, now, options, how):
    assert locks.decide(lock, claim, now, **options) is how


def test_a_renewal_begins_a_new_term_of_the_same_lock():
    renewed = locks.renew(LOCK, ANN, after(100))
    assert (renewed.token, renewed.taken, renewed.renewed) == ("token", START.wall, after(100).wall)
    assert locks.decide(renewed, BOB, after(219)) is How.HELD
    assert locks.decide(renewed, BOB, after(220)) is How.EXPIRED
    assert locks.shown(renewed, after(110))["held"] == 110


def test_it_is_read_as_it_was_written():
    for lock in (LOCK, locks.grant(FREEZE, START, "t")):
        assert locks.parse(locks.render(lock)) == lock


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"claim": null}', locks.render(LOCK).replace("boot", "shoe")])
def test_one_that_is_damaged_is_not_taken_for_free(text):
    with pytest.raises(LockDamaged, match="cannot be read"):
        locks.parse(text)


def test_what_is_shown():
    shown = locks.shown(LOCK, after(50))
    assert (shown["owner"], shown["left"], shown["expires"], shown["held"]) == (
        "ann@laptop",
        70,
        "2026-11-22T12:02:00Z",
        50,
    )
    assert shown["process"]["pid"] == 4711
    forever = locks.shown(locks.grant(FREEZE, START, "t"), after(50))
    assert (forever["left"], forever["expires"]) == (None, None)


def params(**changes):
    given = {"deployment": "d1", "version": "v2.0.0", "reason": "release", "lease": 120, "heartbeat": 30}
    return {
        **given,
        "steal": False,
        "state": "taken",
        "holder": {"owner": "ann@laptop", "process": asdict(ANN.process)},
        **changes,
    }


def test_the_claim_of_the_parameters():
    assert locks.claim_of(params()) == ANN
    person = params(holder={"owner": "ann@laptop", "process": None}, lease=0, heartbeat=0)
    assert locks.claim_of(person).process is None


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"deployment": ""}, "deployment"),
        ({"deployment": "../etc"}, "deployment"),
        ({"deployment": "a b"}, "deployment"),
        ({"reason": "a\nb"}, "reason"),
        ({"version": "a\nb"}, "reason"),
        ({"reason": "a" * 501}, "reason"),
        ({"lease": 59}, "lease"),
        ({"lease": -1}, "lease"),
        ({"heartbeat": -1}, "lease"),
        ({"steal": True, "reason": ""}, "reason"),
        ({"holder": {"owner": "ann", "process": None}, "reason": ""}, "reason"),
    ],
)
def test_parameters_that_make_no_claim(changes, where):
    with pytest.raises(InvalidInput) as caught:
        locks.claim_of(params(**changes))
    assert caught.value.where == where
