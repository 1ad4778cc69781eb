# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision_file import read_decision
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.modules import gate_decision
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT

DECIDED = {"app": "mobile-sync", "decision": "promote", "reason": "nobody works at this hour", "by": "alice"}


@pytest.fixture
def layout(tmp_path, monkeypatch):
    layout = Layout("mobile-sync", tmp_path)
    monkeypatch.setattr(gate_decision, "Layout", lambda app: Layout(app, tmp_path))
    layout.traffic.mkdir(parents=True)
    TrafficFiles(layout.traffic).write_contact(CONTACT)
    return layout


def test_each_decision_is_one_of_its_own(run_module, layout):
    first, second = (run_module(gate_decision, DECIDED) for _time in range(2))
    assert first["changed"]
    assert first["decision"]["id"] != second["decision"]["id"]
    assert read_decision(layout).as_dict() == second["decision"]


def test_check_mode_writes_nothing(run_module, layout):
    assert run_module(gate_decision, DECIDED, check=True)["changed"]
    assert read_decision(layout) is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"reason": " "}, "there is no reason"),
        ({"decision": "maybe"}, "must be one of: promote, abort"),
        ({"app": "shop"}, "not installed on this proxy"),
    ],
)
def test_what_is_refused(run_module, layout, changed, said):
    result = run_module(gate_decision, {**DECIDED, **changed})
    assert result.failed
    assert said in result["msg"]
    assert read_decision(layout) is None
