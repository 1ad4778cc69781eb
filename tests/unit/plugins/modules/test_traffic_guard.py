# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import lock as locks
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import settled
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record
from ansible_collections.greenlight.deploy.plugins.modules import traffic_guard
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.lease.samples import ANN, START
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.lease.test_guarding import Systemd
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT


@pytest.fixture
def guard(run_module, tmp_path, monkeypatch):
    layout = Layout("shop", tmp_path)
    traffic, files = TrafficFiles(layout.traffic), DeploymentFiles(layout)
    (layout.traffic / "states").mkdir(parents=True)
    layout.timer.parent.mkdir(parents=True)
    traffic.write_contact(CONTACT)
    traffic.write_record(Record("blue"))
    traffic.switch(settled("blue"))
    with files.locked():
        files.write_lock(locks.grant(ANN, START, "t"))
    systemd = Systemd()
    monkeypatch.setattr(traffic_guard, "Layout", lambda app: Layout(app, tmp_path))
    monkeypatch.setattr(traffic_guard, "Systemd", lambda stop_timeout: systemd)
    return lambda arguments, **options: run_module(traffic_guard, arguments, **options)


def test_armed_and_disarmed(guard):
    assert guard({"app": "shop"}, check=True)["changed"] is True
    armed = guard({"app": "shop", "after": 90})
    assert (armed["changed"], armed["armed"], armed["home"]) == (True, True, "blue")
    assert guard({"app": "shop", "after": 90})["changed"] is False
    assert guard({"app": "shop", "state": "disarmed"}, check=True)["changed"] is True
    assert guard({"app": "shop", "state": "disarmed"})["changed"] is True
    assert guard({"app": "shop", "state": "disarmed"})["changed"] is False


@pytest.mark.parametrize("wrong", [{"after": 0}, {"after": 10}, {"app": "../x"}, {"app": "elsewhere"}])
def test_what_is_refused(guard, wrong):
    assert guard({"app": "shop", **wrong}).failed
