# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guard import Returned
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.holding import Holding
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.lease.samples import (
    ANN,
    BOB,
    FREEZE,
    after,
)

URGENT = {"steal": True, "dead": ""}
PATIENT = {"steal": False, "dead": ""}


@pytest.fixture
def at(tmp_path):
    """``at(seconds)`` is the lock of the host then; what the switch did is ``at.returned``."""
    files = DeploymentFiles(Layout("shop", tmp_path))

    def holding(seconds=0, *, check=False):
        switch = SimpleNamespace(renew=lambda claim, now: holding.returned)
        return Holding(files, switch, after(seconds), check=check)

    holding.files = files
    holding.returned = None
    return holding


def events(at):
    return [(one["event"], one["deployment"], one["data"]["how"]) for one in at.files.entries(9)[0]]


def test_taken_renewed_and_released(at):
    taken = at().take(ANN, **PATIENT)
    assert (taken["changed"], taken["how"], taken["before"]) == (True, "free", None)
    again = at(10).take(ANN, **PATIENT)
    assert (again["changed"], again["how"], again["lock"]["left"]) == (False, "own", 120)
    renewed = at(60).renew(replace(ANN, version="", reason="", lease=10))
    assert (renewed["lock"]["version"], renewed["lock"]["reason"]) == ("v2.0.0", "release")
    assert (renewed["changed"], renewed["lost"], renewed["lock"]["left"]) == (False, "", 120)
    assert at(70).look()["lock"]["left"] == 110
    assert at(80).release(ANN, **PATIENT)["changed"] is True
    assert at(81).look()["sentence"] == "not locked"
    gone = at(90).release(ANN, **PATIENT)
    assert (gone["changed"], gone["how"], gone["lock"]) == (False, "free", None)
    assert events(at) == [("lock taken", "d1", "free"), ("lock released", "d1", "own")]


def test_another_has_to_wait(at):
    at().take(ANN, **PATIENT)
    held = at(60).take(BOB, **PATIENT)
    assert (held["changed"], held["how"], held["lock"]["owner"]) == (False, "held", "ann@laptop")
    assert "locked by ann@laptop" in held["sentence"]
    assert at(61).release(BOB, **PATIENT)["how"] == "held"
    assert at(62).look()["lock"]["owner"] == "ann@laptop"


def test_a_lease_that_is_over_is_taken_over_and_recorded(at):
    at().take(ANN, **PATIENT)
    taken = at(121).take(BOB, **PATIENT)
    assert (taken["how"], taken["lock"]["owner"], taken["before"]["owner"]) == ("expired", "bob@ci", "ann@laptop")
    assert "its lease of 120 s is over" in taken["sentence"]
    entry = at.files.entries(1)[0][0]
    assert (entry["deployment"], entry["data"]["from"]["deployment"]) == ("d2", "d1")


def test_whoever_was_robbed_hears_by_whom_and_why(at):
    at().take(ANN, **PATIENT)
    token = at().look()["lock"]["token"]
    assert at(10).take(BOB, **URGENT)["how"] == "stolen"
    assert at(11).look()["lock"]["token"] != token
    assert at(12).renew(ANN)["lost"] == "bob@ci took the lock over at 12:00:10 UTC for: urgent"
    at(13).release(BOB, **PATIENT)
    assert at(14).renew(ANN)["lost"] == "bob@ci took the lock over at 12:00:10 UTC for: urgent"


def test_a_lock_that_a_person_released_is_lost_too(at):
    at().take(ANN, **PATIENT)
    person = replace(FREEZE, owner="bob@ci", reason="it hangs")
    assert at(5).release(person, **URGENT)["how"] == "stolen"
    assert at(6).renew(ANN)["lost"] == "bob@ci took the lock over at 12:00:05 UTC for: it hangs"


def test_a_lock_that_is_simply_gone(at):
    at().take(ANN, **PATIENT)
    at.files.append(after(1), "d0", "returned", {"from": "green-10", "to": "blue"})
    at.files.remove_lock()
    assert at(1).renew(ANN)["lost"] == "somebody removed the lock of this run"


def test_a_holder_that_is_dead_is_not_waited_for(at):
    token = at().take(ANN, **PATIENT)["lock"]["token"]
    assert at(1).take(BOB, steal=False, dead="another")["how"] == "held"
    taken = at(2).take(BOB, steal=False, dead=token)
    assert taken["how"] == "dead"
    assert "its process 4711 on laptop is dead" in taken["sentence"]


def test_the_holder_hears_what_the_switch_did(at):
    at().take(ANN, **PATIENT)
    at.returned = Returned("2026-11-22T12:00:40Z", "green-10", "blue", "silence", "d1")
    renewed = at(50).renew(ANN)
    assert (renewed["lost"], renewed["lock"]["left"]) == ("", 120)
    assert (
        renewed["returned"]
        == "this proxy gave all clients back to blue by itself at 12:00:40 UTC (it was green-10): silence"
    )


def test_check_mode_writes_nothing(at):
    assert at(check=True).take(ANN, **PATIENT)["how"] == "free"
    assert not at.files.layout.deployment.exists()
    at().take(ANN, **PATIENT)
    before = at.files.layout.lock.read_text()
    assert at(1, check=True).renew(ANN)["lost"] == ""
    assert at(1, check=True).take(BOB, **URGENT)["how"] == "stolen"
    assert at(1, check=True).release(ANN, **PATIENT)["changed"] is True
    assert at.files.layout.lock.read_text() == before


def test_a_renewal_takes_along_what_was_begun(at):
    at().take(ANN, **PATIENT)
    at(5).renew(ANN, [{"state": "running", "phase": "migrate"}, {"state": "running", "phase": "services"}])
    assert [one["data"].get("phase") for one in at.files.entries(9)[0]] == [None, "migrate", "services"]
    assert (at.files.record()["phase"], at.files.record()["state"]) == ("services", "running")


def test_what_was_begun_is_no_news_of_a_deployment_that_has_ended(at):
    at().take(ANN, **PATIENT)
    at.files.note(after(5), "d1", "ended", {"state": "failed", "phase": "ended"})
    assert at(6).renew(ANN, [{"state": "running", "phase": "smoke"}])["lost"] == ""
    assert (at.files.record()["phase"], at.files.record()["state"]) == ("ended", "failed")


def test_what_was_begun_without_the_lock_is_not_noted(at):
    at().take(BOB, **PATIENT)
    assert at(5).renew(ANN, [{"state": "running", "phase": "migrate"}])["lost"]
    assert at.files.record() is None
