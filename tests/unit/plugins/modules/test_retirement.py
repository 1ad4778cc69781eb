# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.retire.host import Retirements
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState
from ansible_collections.greenlight.deploy.plugins.modules import retirement

RELEASE = "20261121T090000Z-7f3c2aa"
SERVICES = [{"name": "web", "application": "shop.asgi:application", "ports": {"blue": 8101, "green": 8201}}]
BLUE = {"app": "shop", "colour": "blue", "services": SERVICES}
UNIT = "shop-web-blue@8101.service"


class Systemd:
    """A host on which every unit runs."""

    def __init__(self, folder):
        self.folder = folder

    def show(self, units):
        return {unit: UnitState(unit, load="loaded", active="active", pid=1, enabled=True) for unit in units}

    def reload(self):
        pass

    def enable(self, units):
        pass

    start = stop = disable = enable


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host whose blue has a release; it is second 1000."""
    (tmp_path / "units").mkdir()
    (tmp_path / "opt/shop").mkdir(parents=True)
    (tmp_path / "opt/shop/blue").symlink_to(f"releases/{RELEASE}")
    systemd = Systemd(tmp_path / "units")
    monkeypatch.setattr(retirement, "Systemd", lambda _stop: systemd)
    monkeypatch.setattr(retirement, "Retirements", lambda app, found: Retirements(app, found, tmp_path / "state"))
    monkeypatch.setattr(retirement, "time", SimpleNamespace(time=lambda: 1000.0))
    return {**BLUE, "root": str(tmp_path / "opt")}


def test_scheduled_and_called_back(run_module, host):
    wanted = {**host, "state": "scheduled", "hot": 60, "installed": 600}
    assert run_module(retirement, wanted, check=True)["changed"]
    made = run_module(retirement, wanted)
    assert made["changed"]
    assert made["retirement"] == {
        "app": "shop", "colour": "blue", "release": RELEASE, "units": [UNIT], "ports": [8101], "state": "scheduled",
        "stop_at": 1060.0, "installed_until": 1600.0,
    }  # fmt: skip
    assert made["sentence"].startswith("blue is stopped in 60 s")
    assert not run_module(retirement, wanted)["changed"]
    shown = run_module(retirement, host)
    assert (shown["changed"], shown["retirement"]["state"]) == (False, "scheduled")
    back = run_module(retirement, {**host, "state": "cancelled"})
    assert (back["changed"], back["retirement"]["state"]) == (True, "cancelled")
    assert not run_module(retirement, {**host, "state": "cancelled"})["changed"]


def test_a_colour_that_runs_is_not_started(run_module, host):
    result = run_module(retirement, {**host, "state": "revived"})
    assert (result["changed"], result["started"], result["sentence"]) == (False, [], "no retirement is known")


def test_at_once_still_gives_the_timer_a_moment(run_module, host):
    result = run_module(retirement, {**host, "state": "scheduled", "hot": 0})
    assert result["retirement"]["stop_at"] == 1002.0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "scheduled", "hot": -1}, "hot"),
        ({"state": "scheduled", "services": []}, "no service is described"),
        ({"app": "Shop!"}, "app"),
    ],
)
def test_bad_options(run_module, host, changes, said):
    result = run_module(retirement, {**host, **changes})
    assert result.failed
    assert said in result["msg"]
