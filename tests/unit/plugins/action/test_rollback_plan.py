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
