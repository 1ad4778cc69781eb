# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.plugins.modules import deployment_journal

EVENT = {"app": "shop", "deployment": "d1", "event": "shifted", "data": {"phase": "cutover", "share": 10}}


@pytest.fixture
def journal(run_module, tmp_path, monkeypatch):
    monkeypatch.setattr(deployment_journal, "Layout", lambda app: Layout(app, tmp_path))
    return lambda arguments, **options: run_module(deployment_journal, arguments, **options)


def test_written_and_read(journal):
    assert journal({"app": "shop", "state": "read"})["deployment"] is None
    assert journal(EVENT, check=True)["changed"] is True
    assert journal({"app": "shop", "state": "read"})["entries"] == []
    assert journal(EVENT)["deployment"]["share"] == 10
    journal({**EVENT, "event": "looked", "data": {"p95": 0.2}})
    journal({**EVENT, "event": "settled", "data": {"state": "done", "share": 100}})
    seen = journal({"app": "shop", "state": "read", "last": 2})
    assert [one["event"] for one in seen["entries"]] == ["looked", "settled"]
    assert (seen["changed"], seen["deployment"]["state"], seen["deployment"]["phase"]) == (False, "done", "cutover")
    assert "d1: done" in seen["sentence"]
    assert (seen["torn"], seen["returned"], seen["returned_sentence"]) == (0, None, "")


def test_what_the_switch_did_is_told_too(journal, tmp_path):
    journal(EVENT)
    report = Layout("shop", tmp_path).returned
    report.write_text('{"at": "t", "from": "green-10", "to": "blue", "why": "silence", "deployment": "d1"}')
    seen = journal({"app": "shop", "state": "read"})
    assert seen["returned"]["to"] == "blue"
    assert seen["returned_sentence"].startswith("this proxy gave all clients back to blue")


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("wrong", [{"event": ""}, {"deployment": ""}, {"data": {"state": "great"}}, {"app": "../x"}])
def test_what_is_refused(journal, wrong, check):
    assert journal({**EVENT, **wrong}, check=check).failed
