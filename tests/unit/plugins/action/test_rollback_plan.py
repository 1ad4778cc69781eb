# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.action.rollback_plan import ActionModule

BLUE = {"id": "20261122T120000Z-0000000", "ref": "v1"}
GREEN = {"id": "20261122T124500Z-1a2b3c4", "ref": "v2"}
SETTLED = {"serving": "green", "candidate": None, "previous": "blue", "releases": {"blue": BLUE, "green": GREEN}}


def variables(**proxies):
    """What traffic_info said on each proxy; nothing where it was not reached."""
    return {
        "groups": {"proxies": list(proxies)},
        "hostvars": {host: {"rollback_traffic": seen} for host, seen in proxies.items()},
    }


def test_the_way_back_arrives_as_a_fact(act):
    result = act(ActionModule, {}, variables(edge1=SETTLED, edge2=SETTLED))
    facts = result["ansible_facts"]
    assert facts["greenlight_way_back"] == {
        "colour": "blue", "left": "green", "release": BLUE["id"], "version": "v1", "left_release": GREEN["id"],
        "left_version": "v2",
    }  # fmt: skip
    assert result["msg"] == "Back to v1 (blue), away from v2 (green)."


def test_a_proxy_that_was_not_reached_has_no_say(act):
    result = act(ActionModule, {}, variables(edge1={"unreachable": True}, edge2=SETTLED))
    assert result["ansible_facts"]["greenlight_way_back"]["colour"] == "blue"


def test_a_release_can_be_named(act):
    result = act(ActionModule, {"release": GREEN["id"]}, variables(edge1={**SETTLED, "serving": "blue"}, edge2=SETTLED))
    assert result["ansible_facts"]["greenlight_way_back"]["colour"] == "green"


def test_a_release_that_no_colour_has_needs_another_kind_of_rollback(act):
    result = act(ActionModule, {"release": "20261101T000000Z-9999999"}, variables(edge1=SETTLED))
    assert result["failed"] is True
    assert "--tags code" in result["msg"]


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (variables(edge1={"unreachable": True}), "no proxy was reached"),
        (variables(edge1={**SETTLED, "previous": None}), "there is no earlier good version"),
        (
            variables(edge1=SETTLED, edge2={**SETTLED, "previous": "green"}),
            "the proxies would go back to different colours",
        ),
    ],
)
def test_no_way_back_is_a_failure_without_facts(act, seen, said):
    result = act(ActionModule, {}, seen)
    assert result["failed"] is True
    assert said in result["msg"]
    assert "ansible_facts" not in result


def described(seen):
    """The same with what the kinds need that take part in more than the traffic."""
    seen["groups"]["apps"] = ["app1"]
    seen["hostvars"]["app1"] = {"inventory_hostname": "app1", "rollback_releases": {"releases": MANIFESTS}}
    seen["greenlight_application"] = {"domain": "shop.test", "services": []}
    for name in seen["groups"]["proxies"]:
        seen["hostvars"][name].update(
            inventory_hostname=name, inventory_dir="/x/production", inventory_file="/x/hosts.yml"
        )
    return seen


MANIFESTS = [{"release": each["id"], "sha": "0" * 40, "ref": "main", "version": each["ref"]} for each in (BLUE, GREEN)]


def test_code_makes_a_plan_for_the_roles_that_start_a_release(act):
    result = act(ActionModule, {"kind": "code"}, described(variables(edge1=SETTLED)))
    facts = result["ansible_facts"]
    assert (facts["greenlight_way_back"]["begun"], facts["greenlight_verdict"]["go"]) == (["app1"], True)
    assert (facts["greenlight_plan"]["candidate"], facts["greenlight_plan"]["release"]) == ("blue", BLUE["id"])
    assert act.shown == ["  Back to v1 (blue), away from v2 (green)."]


def test_code_that_serves_already_is_nothing_to_do(act):
    result = act(ActionModule, {"kind": "code", "release": GREEN["id"]}, described(variables(edge1=SETTLED)))
    assert result["msg"] == f"Nothing to do: v2 ({GREEN['id']}) already serves as green."
    assert result["ansible_facts"]["greenlight_plan"]["nothing_to_do"] is True


def test_a_rehearsal_asks_before_it_takes_clients_of_production(act):
    refused = act(ActionModule, {"kind": "drill"}, described(variables(edge1=SETTLED)))
    assert refused["failed"] is True
    assert "production has real clients" in refused["msg"]
    result = act(ActionModule, {"kind": "drill", "confirmed": True}, described(variables(edge1=SETTLED)))
    assert result["ansible_facts"]["greenlight_way_back"]["colour"] == "blue"
    assert len(result["ansible_facts"]["greenlight_way_back"]["ends"]) == 1
