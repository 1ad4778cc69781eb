# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.retire import plan
from ansible_collections.greenlight.deploy.plugins.module_utils.retire.host import Kept, Retirements
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState

UNIT = "shop-web-blue@8101.service"
TIMER = "greenlight-shop-retire-blue.timer"
BLUE = plan.Retirement("shop", "blue", "b1", (UNIT,), (8101,), plan.SCHEDULED, 1800.0, 86400.0)
RUNNING = UnitState(UNIT, load="loaded", active="active", pid=1, enabled=True)


class Systemd:
    """Remembers what it was told; ``state`` is what it shows of every unit."""

    def __init__(self, folder):
        self.folder = folder
        self.told = []
        self.state = RUNNING

    def show(self, units):
        return dict.fromkeys(units, self.state)

    def reload(self):
        self.told.append("reload")

    def __getattr__(self, verb):
        return lambda units: self.told.append((verb, *units)) if units else None


@pytest.fixture
def systemd(tmp_path):
    folder = tmp_path / "systemd"
    folder.mkdir()
    return Systemd(folder)


@pytest.fixture
def retirements(tmp_path, systemd):
    return Retirements("shop", systemd, tmp_path / "state")


def test_scheduled_and_again(retirements, systemd, tmp_path):
    assert retirements.schedule(BLUE, 0.0, check=True)
    assert (retirements.of("blue"), systemd.told) == (None, [])
    assert retirements.schedule(BLUE, 0.0)
    assert retirements.of("blue") == BLUE
    assert systemd.told == ["reload", ("enable", TIMER), ("start", TIMER)]
    assert sorted(path.name for path in systemd.folder.iterdir()) == [TIMER.replace("timer", "service"), TIMER]
    assert (tmp_path / "state/shop/retire/stop.py").stat().st_mode & 0o777 == 0o700
    later = replace(BLUE, stop_at=9999.0)
    assert not retirements.schedule(later, 10.0)
    assert retirements.of("blue").stop_at == 1800.0


def test_cancelled_and_again(retirements, systemd):
    assert not retirements.cancel("blue")
    retirements.schedule(BLUE, 0.0)
    systemd.told.clear()
    assert retirements.cancel("blue", check=True)
    assert retirements.of("blue").state == plan.SCHEDULED
    assert retirements.cancel("blue")
    assert retirements.of("blue").state == plan.CANCELLED
    assert systemd.told[0] == ("stop", TIMER, TIMER.replace("timer", "service"))
    assert list(systemd.folder.iterdir()) == []
    assert not retirements.cancel("blue")


def test_a_colour_that_runs_is_only_called_back(retirements, systemd):
    retirements.schedule(BLUE, 0.0)
    assert retirements.revive("blue", (), check=True) == (True, [])
    assert retirements.revive("blue", ()) == (True, [])
    assert retirements.of("blue").state == plan.CANCELLED
    assert ("start", UNIT) not in systemd.told
    assert retirements.revive("blue", ()) == (False, [])


def test_a_colour_that_was_stopped_is_started_as_it_was_installed(retirements, systemd):
    retirements.schedule(replace(BLUE, state=plan.STOPPED), 0.0)
    systemd.state = UnitState(UNIT, load="loaded")
    assert retirements.revive("blue", ("other.service",)) == (True, [UNIT])
    assert systemd.told[-2:] == [("enable", UNIT), ("start", UNIT)]


def test_nothing_was_written_down_but_the_services_are_known(retirements, systemd):
    systemd.state = UnitState(UNIT, load="loaded")
    assert retirements.revive("blue", (UNIT,)) == (True, [UNIT])


@pytest.mark.parametrize("units", [(), (UNIT,)])
def test_what_is_not_installed_cannot_be_revived(retirements, systemd, units):
    systemd.state = UnitState(UNIT)
    with pytest.raises(InvalidInput, match="not installed here any more"):
        retirements.revive("blue", units)


def test_releases_stay_installed_until_their_time_is_over(retirements, tmp_path):
    kept = Kept("shop", tmp_path / "state")
    assert kept.now(0.0) == {}
    retirements.schedule(BLUE, 0.0)
    retirements.schedule(replace(BLUE, colour="green", release="g2", installed_until=90000.0), 5.0)
    assert kept.now(100.0) == {"b1": 86400.0, "g2": 90000.0}
    retirements.schedule(replace(BLUE, release="b3", installed_until=99000.0), 86400.0)
    assert kept.now(86400.0) == {"g2": 90000.0, "b3": 99000.0}
