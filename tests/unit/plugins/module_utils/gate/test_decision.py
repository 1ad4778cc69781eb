# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision import (
    Decision,
    checked,
    decision_of,
    parse,
    render,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision_file import (
    decision_path,
    read_decision,
    write_decision,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout

DECISION = Decision("1f", "promote", "nobody works at this hour", "alice", "2026-11-22T12:45:00Z")


def test_it_survives_file_and_result():
    assert parse(render(DECISION), "here") == DECISION
    assert decision_of(DECISION.as_dict()) == DECISION
    assert DECISION.promotes
    assert DECISION.sentence == "alice decided to promote at 2026-11-22T12:45:00Z: nobody works at this hour"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": "1"}'])
def test_a_damaged_file_is_said(text):
    with pytest.raises(GreenlightError, match="cannot be read"):
        parse(text, "/file")


def test_a_reason_must_be_given():
    assert checked(DECISION) is DECISION
    with pytest.raises(InvalidInput, match="there is no reason"):
        checked(Decision("1f", "abort", "  ", "alice", "now"))


def test_on_a_proxy(tmp_path):
    layout = Layout("shop", tmp_path)
    assert read_decision(layout) is None
    write_decision(layout, DECISION)
    write_decision(layout, Decision("2f", "abort", "late", "bob", "now"))
    assert read_decision(layout).id == "2f"
    assert decision_path(layout).stat().st_mode & 0o777 == 0o644
