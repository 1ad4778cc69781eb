# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import lock as locks
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guarding import (
    GivenBack,
    NobodyRenews,
    Switch,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import parse_state, settled
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.lease.samples import (
    ANN,
    BOB,
    FREEZE,
    START,
    after,
)
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT


class Systemd:
    """Knows which units are active, and writes down what it is told."""

    def __init__(self):
        self.told = []
        self.active = set()

    def show(self, units):
        return {unit: SimpleNamespace(active="active" if unit in self.active else "inactive") for unit in units}

    def reload(self):
        self.told.append("reload")

    def enable(self, units):
        self.told += [f"enable {unit}" for unit in units]

    def start(self, units):
        self.told += [f"start {unit}" for unit in units]
        self.active |= set(units)

    def disable(self, units):
        self.told += [f"disable {unit}" for unit in units]

    def stop(self, units):
        self.told += [f"stop {unit}" for unit in units]
        self.active -= set(units)


@pytest.fixture
def switch(tmp_path):
    """Blue serves, and green has a tenth of the clients."""
    layout = Layout("shop", tmp_path)
    traffic = TrafficFiles(layout.traffic)
    (layout.traffic / "states").mkdir(parents=True)
    traffic.write_contact(CONTACT)
    traffic.write_record(Record("blue"))
    traffic.switch(parse_state("green-10"))
    layout.timer.parent.mkdir(parents=True)
    return Switch(DeploymentFiles(layout), traffic, Systemd())


@pytest.fixture
def locked(switch):
    """Ann's run holds the lock."""
    with switch.files.locked():
        switch.files.write_lock(locks.grant(ANN, START, "t"))
    return switch


def report(switch, deployment):
    text = f'{{"at": "t", "from": "green-10", "to": "blue", "why": "silence", "deployment": "{deployment}"}}'
    switch.layout.returned.write_text(text)


def test_armed_once_and_again(locked):
    timer = locked.layout.timer.name
    answer = locked.arm(120, after(1))
    assert (answer["changed"], answer["armed"], answer["home"]) == (True, True, "blue")
    assert locked.systemd.told == ["reload", f"enable {timer}", f"start {timer}"]
    assert locked.layout.lease.read_text() == "boot-a 1121\n"
    assert (locked.layout.traffic / "states/blue/live").exists()
    assert locked.arm(120, after(9))["changed"] is False
    assert locked.layout.lease.read_text() == "boot-a 1129\n"
    assert len(locked.systemd.told) == 3


def test_a_timer_that_somebody_stopped_is_started_again(locked):
    locked.arm(120, START)
    locked.systemd.active.clear()
    locked.arm(120, after(1))
    assert locked.systemd.told[-1] == f"start {locked.layout.timer.name}"


def test_home_is_the_colour_that_serves_whatever_the_record_missed(locked):
    locked.traffic.write_record(Record("green", candidate="blue", share=50))
    assert locked.arm(120, START)["home"] == "blue"


def test_there_is_no_home_before_anybody_is_served(locked):
    locked.traffic.write_record(Record())
    locked.traffic.switch(parse_state("none"))
    assert locked.arm(120, START) == {"changed": False, "armed": False, "returned": None}


def test_it_is_not_armed_when_nobody_would_renew_it(switch):
    with pytest.raises(NobodyRenews):
        switch.arm(120, START)
    with switch.files.locked():
        switch.files.write_lock(locks.grant(FREEZE, START, "t"))
    with pytest.raises(NobodyRenews):
        switch.arm(120, START)


def test_one_missed_heartbeat_is_not_enough(locked):
    with pytest.raises(InvalidInput, match="heartbeat"):
        locked.arm(59, START)


def test_a_renewal_counts_for_the_deployment_that_armed_it_only(locked):
    locked.arm(120, START)
    assert locked.renew(ANN, after(50)) is None
    assert locked.layout.lease.read_text() == "boot-a 1170\n"
    locked.renew(BOB, after(60))
    assert locked.layout.lease.read_text() == "boot-a 1170\n"


def test_the_holder_hears_what_it_did(locked):
    locked.arm(120, START)
    report(locked, "d1")
    assert locked.renew(ANN, after(1)).home == "blue"
    assert locked.renew(BOB, after(1)) is None
    with pytest.raises(GivenBack, match="gave all clients back to blue by itself"):
        locked.arm(120, after(2))


def test_another_deployment_clears_the_report(locked):
    report(locked, "d0")
    answer = locked.arm(120, START)
    assert (answer["changed"], answer["returned"]) == (True, None)


def test_disarmed_it_leaves_nothing_but_the_journal(locked):
    locked.arm(120, START)
    report(locked, "d1")
    answer = locked.disarm(after(5))
    assert (answer["changed"], answer["armed"], answer["returned"]["to"]) == (True, False, "blue")
    left = {path.name for path in locked.layout.deployment.iterdir()}
    assert left == {".lock", "lock.json", "journal.jsonl"}
    assert not list(locked.layout.timer.parent.iterdir())
    assert [one["event"] for one in locked.files.entries(9)[0]] == ["guard armed", "guard disarmed"]
    assert locked.disarm(after(6)) == {"changed": False, "armed": False, "returned": None}


def test_disarmed_where_the_traffic_was_taken_away(locked, tmp_path):
    locked.arm(120, START)
    locked.layout.traffic.rename(tmp_path / "away")
    assert locked.disarm(after(5))["changed"] is True


def test_check_mode_changes_nothing(switch):
    assert switch.arm(120, START, check=True)["changed"] is True
    assert switch.disarm(START, check=True)["changed"] is False
    assert not switch.layout.deployment.exists()
    assert switch.systemd.told == []


def test_settled_is_home(locked):
    locked.traffic.switch(settled("green"))
    assert locked.arm(120, START)["home"] == "green"
