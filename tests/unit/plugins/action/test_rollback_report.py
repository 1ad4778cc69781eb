# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.action import rollback_report

WAY = {"colour": "blue", "release": "b1", "version": "v1", "left": "green", "left_release": "g2", "left_version": "v2"}
HOME = {"home": True, "way": WAY, "problems": [], "seconds": {"asked": 0.1, "switched": 0.2, "verified": 0.3}}
ASLEEP = {"home": False, "way": WAY, "problems": ["health: status 502"], "seconds": {"asked": 0.1}}
POINTS = {"asked": 1.8, "switched": 1.9, "verified": 2.0}
APPLICATION = {
    "domain": "shop.test",
    "services": [{"name": "web", "instances": 2, "ports": {"blue": 8101, "green": 8201}}],
}


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
    assert facts["greenlight_way_back"] == {
        **WAY, "asleep": [], "home": ["edge1"], "times": {"edge1": POINTS}, "seconds": POINTS, "budget": 60,
    }  # fmt: skip
    assert act.shown == [f"  {result['msg']}"]


def test_one_that_was_lost_and_one_whose_colour_is_stopped_are_still_to_be_done(act):
    result = act(rollback_report.ActionModule, {}, variables(("edge2",), edge1=HOME, edge2=ASLEEP))
    verdict, way = (result["ansible_facts"][name] for name in ("greenlight_verdict", "greenlight_way_back"))
    assert (verdict["go"], [failure["host"] for failure in verdict["failures"]]) == (False, ["edge1", "edge2"])
    assert (way["colour"], way["asleep"], way["home"]) == ("blue", ["edge2"], [])


def test_with_the_description_comes_a_plan_and_the_run_keeps_its_id(act):
    seen = {**variables(edge1=HOME), "greenlight_application": APPLICATION, "greenlight_plan": {"deployment": "one"}}
    seen["groups"]["apps"] = ["app1"]
    plan = act(rollback_report.ActionModule, {"quiet": True}, seen)["ansible_facts"]["greenlight_plan"]
    assert (plan["ports"], plan["hosts"]["blue"], plan["deployment"]) == (
        {"blue": [8101, 8102], "green": [8201, 8202]},
        ["app1"],
        "one",
    )
    assert act.shown == []


def test_application_hosts_that_do_not_have_the_release_yet_are_told(act):
    seen = variables(edge1=HOME)
    seen["greenlight_way_back"] = {**WAY, "begun": ["app1"], "lost": ["app2"]}
    result = act(rollback_report.ActionModule, {"kind": "code"}, seen)
    assert result["msg"] == (
        "Not every host went back. Still to be done: app2 (unreachable); app1 (unreachable). "
        "v1 serves every client as blue of edge1. Switched 1.9 s and verified 2.0 s after the start; "
        "the budget is 600 s."
    )


def test_a_rehearsal_is_told_when_the_clients_are_back(act, monkeypatch):
    seen = variables(edge1=HOME)
    seen["greenlight_way_back"] = {**WAY, "ends": [0.5]}
    there = act(rollback_report.ActionModule, {"kind": "drill", "quiet": True}, seen)["ansible_facts"]
    assert (there["greenlight_way_back"]["seconds"], there["greenlight_verdict"]["go"]) == ([1.5], True)
    monkeypatch.setattr(rollback_report, "seconds_since_start", lambda: 2.8)
    seen["hostvars"]["edge1"]["rollback_home_again"] = {**HOME, "way": {**WAY, "colour": "green"}}
    seen["greenlight_way_back"] = there["greenlight_way_back"]
    back = act(rollback_report.ActionModule, {"kind": "drill"}, seen)
    assert back["msg"] == (
        "Rehearsed with every client: to v1 (blue) in 1.5 s and back to v2 (green) in 0.8 s; the budget is 60 s."
    )


def test_nobody_was_reached(act):
    result = act(rollback_report.ActionModule, {}, variables((), edge1={"unreachable": True}))
    assert result["msg"] == "Not every host went back. Still to be done: edge1 (unreachable)."
    assert result["ansible_facts"]["greenlight_way_back"]["home"] == []
