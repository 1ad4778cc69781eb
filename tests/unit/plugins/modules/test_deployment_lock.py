# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.plugins.modules import deployment_lock

HOLDER = {
    "owner": "ann@laptop",
    "process": {"host": "laptop", "boot": "b", "namespace": "ns", "pid": 4711, "started": "77"},
}
OTHER = {"owner": "bob@ci", "process": {**HOLDER["process"], "host": "ci"}}
TAKEN = {"app": "shop", "state": "taken", "deployment": "d1", "holder": HOLDER}


@pytest.fixture
def lock(run_module, tmp_path, monkeypatch):
    monkeypatch.setattr(deployment_lock, "Layout", lambda app: Layout(app, tmp_path))
    return lambda arguments, **options: run_module(deployment_lock, arguments, **options)


def test_taken_looked_at_renewed_and_released(lock):
    assert lock(TAKEN, check=True)["changed"] is True
    assert lock({"app": "shop"})["lock"] is None
    assert lock(TAKEN)["how"] == "free"
    assert lock({"app": "shop"})["lock"]["owner"] == "ann@laptop"
    assert lock({**TAKEN, "state": "renewed"})["lost"] == ""
    assert lock({**TAKEN, "holder": OTHER})["how"] == "held"
    assert lock({**TAKEN, "state": "released", "holder": OTHER})["changed"] is False
    assert lock({**TAKEN, "state": "released"})["changed"] is True
    assert lock({**TAKEN, "state": "released"})["changed"] is False


@pytest.mark.parametrize(
    "wrong",
    [{"app": "../x"}, {"deployment": ""}, {"lease": 10}, {"steal": True}, {"state": "stolen"}],
)
def test_what_is_refused(lock, wrong):
    assert lock({**TAKEN, **wrong}).failed
    assert lock({"app": "shop"})["lock"] is None


def test_somebody_must_ask(lock):
    assert lock({"app": "shop", "state": "taken", "deployment": "d1"}).failed
