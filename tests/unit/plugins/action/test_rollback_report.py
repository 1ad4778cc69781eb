# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.action import rollback_report

WAY = {"colour": "blue", "release": "b1", "version": "v1", "left": "green", "left_release": "g2", "left_version": "v2"}
HOME = {"home": True, "way": WAY, "problems": [], "seconds": {"asked": 0.1, "switched": 0.2, "verified": 0.3}}
ASLEEP = {"home": False, "way": WAY, "problems": ["health: status 502"], "seconds": {"asked": 0.1}}
APPLICATION = {"services": [{"name": "web", "instances": 2, "ports": {"blue": 8101, "green": 8201}}]}


@pytest.fixture(autouse=True)
def two_seconds(monkeypatch):
    monkeypatch.setattr(rollback_report, "seconds_since_start", lambda: 2.0)


def variables(present=("edge1", "edge2"), **results):
    return {
        "groups": {"proxies": list(results), "apps": ["app1"]},
        "hostvars": {
            "app1": {"inventory_hostname": "app1"},
            **{host: {"inventory_hostname": host, "rollback_home": result} for host, result in results.items()},
        },
        "ansible_play_hosts": ["localhost", *present],
    }


def test_everybody_is_home(act):
    result = act(rollback_report.ActionModule, {}, variables(edge1=HOME))
    facts = result["ansible_facts"]
    assert facts["greenlight_verdict"]["go"] is True
    assert {**facts["greenlight_way_back"], "deployment": ""} == {
        **WAY, "asleep": [], "home": ["edge1"], "seconds": {"asked": 1.8, "switched": 1.9, "verified": 2.0},
        "budget": 60, "deployment": "",
    }  # fmt: skip
    assert act.shown == [f"  {result['msg']}"]


def test_one_that_was_lost_and_one_whose_colour_is_stopped_are_still_to_be_done(act):
    result = act(rollback_report.ActionModule, {}, variables(("edge2",), edge1=HOME, edge2=ASLEEP))
    verdict, way = (result["ansible_facts"][name] for name in ("greenlight_verdict", "greenlight_way_back"))
    assert (verdict["go"], [failure["host"] for failure in verdict["failures"]]) == (False, ["edge1", "edge2"])
    assert (way["colour"], way["asleep"], way["home"]) == ("blue", ["edge2"], [])


def test_with_the_description_come_ports_and_hosts_and_the_run_keeps_its_id(act):
    seen = {
        **variables(edge1=HOME),
        "greenlight_application": APPLICATION,
        "greenlight_way_back": {**WAY, "deployment": "one"},
    }
    result = act(rollback_report.ActionModule, {"quiet": True}, seen)
    way = result["ansible_facts"]["greenlight_way_back"]
    assert way["ports"] == {"blue": [8101, 8102], "green": [8201, 8202]}
    assert way["hosts"] == {"blue": ["app1"], "green": ["app1"]}
    assert way["deployment"] == "one"
    assert act.shown == []


def test_nobody_was_reached(act):
    result = act(rollback_report.ActionModule, {}, variables((), edge1={"unreachable": True}))
    assert result["msg"] == "Not every proxy went back. Still to be done: edge1 (unreachable)."
    assert result["ansible_facts"]["greenlight_way_back"]["home"] == []
