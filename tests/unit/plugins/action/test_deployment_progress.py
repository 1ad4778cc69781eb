# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.action import deployment_progress

BEGUN = {"state": "running", "phase": "migrate the database"}


@pytest.fixture
def told(monkeypatch):
    """What those who renew the locks were told."""
    said = []
    monkeypatch.setattr(deployment_progress.keeper, "tell", said.append)
    return said


def test_what_is_begun_is_left_with_those_who_renew(act, told):
    result = act(deployment_progress.ActionModule, {"deployment": "d1", "data": BEGUN}, {})
    assert (result["changed"], told) == (False, [BEGUN])


@pytest.mark.parametrize("wrong", [{"data": {"state": "lost"}}, {"deployment": ""}])
def test_what_no_journal_takes_is_refused(act, told, wrong):
    assert act(deployment_progress.ActionModule, {"deployment": "d1", "data": BEGUN, **wrong}, {})["failed"]
    assert told == []
