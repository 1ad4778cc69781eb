# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.greenlight.deploy.plugins.action.deployment_plan import ActionModule
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.plan import MIB

SHA = "1a2b3c4" + "0" * 33
SOURCE = {
    "release": "20261122T124500Z-1a2b3c4", "sha": SHA, "ref": "v2", "version": "v2", "archive": "/cache/a.tar.gz",
    "archive_sha256": "0" * 64, "lock": {},
}  # fmt: skip
ARGUMENTS = {"source": SOURCE, "disk_free": 1024, "clock_skew": 30}
LIVE = {"id": "20261122T120000Z-0000000", "ref": "v1", "fingerprint": "another"}
APPLICATION = {
    "app": "shop",
    "domain": "shop.example.com",
    "python": "python3",
    "services": [{"name": "web", "instances": 1, "ports": {"blue": 8101, "green": 8201}}],
    "traffic": {"steps": [10, 100]},
    "waves": ["1", "100%"],
    "soak": 600,
}
ADDRESSES = {"edge1": "192.0.2.11", "app1": "192.0.2.21"}


def host(**differences):
    seen = {
        "time": time.time(),
        "architecture": "x86_64",
        "python": "3.11.2",
        "systemd": "252",
        "nginx": "1.22.1",
        "disk_free": 1024 * MIB,
        "addresses": list(ADDRESSES.values()),
        "ports": {},
        "requires": [],
    }
    return {**seen, **differences}


def variables(app1=None, traffic=None, **others):
    """Facts as the role preflight registers them."""
    facts = {
        "edge1": {
            "preflight_host": host(traffic=traffic or {}, answers=bool(traffic)),
        },
        "app1": {
            "preflight_host": host(colours={"blue": LIVE["id"], "green": ""}) if app1 is None else app1,
        },
    }
    return {
        "groups": {"proxies": ["edge1"], "apps": ["app1"]},
        "hostvars": {
            name: {"inventory_hostname": name, "ansible_host": ADDRESSES[name], **facts[name]} for name in facts
        },
        "greenlight_application": APPLICATION,
        "greenlight_environment": {},
        "greenlight_secrets": {"KEY": "hush-hush"},
        **others,
    }


def made(result):
    return result["ansible_facts"]["greenlight_plan"]


SERVED = {"serving": "blue", "candidate": None, "releases": {"blue": LIVE, "green": None}}


def test_the_plan_and_the_first_verdict_arrive_as_facts(act):
    result = act(ActionModule, ARGUMENTS, variables(traffic=SERVED))
    plan = made(result)
    assert (plan["serving"], plan["candidate"], plan["steps"]) == ("blue", "green", [10, 100])
    assert (plan["build_host"], plan["bind"]) == ("app1", {"app1": "192.0.2.21"})
    assert plan["protect"] == [LIVE["id"]]
    assert result["ansible_facts"]["greenlight_verdict"]["go"] is True
    assert act.shown == [f"  {plan['sentence']}"]


def test_no_secret_is_in_the_plan(act):
    assert "hush-hush" not in str(act(ActionModule, ARGUMENTS, variables()))


def test_a_changed_secret_is_something_to_do_and_the_same_ones_are_not(act):
    first = made(act(ActionModule, ARGUMENTS, variables()))
    live = {**SERVED, "releases": {"blue": {**LIVE, "fingerprint": first["fingerprint"]}, "green": None}}
    plans = [
        made(
            act(ActionModule, {**ARGUMENTS, "redeploy": redeploy}, variables(traffic=live, greenlight_secrets=secrets))
        )
        for redeploy, secrets in ((False, {"KEY": "hush-hush"}), (True, {"KEY": "hush-hush"}), (False, {"KEY": "new"}))
    ]
    assert [plan["nothing_to_do"] for plan in plans] == [True, False, False]


def test_settings_count_with_their_templates_resolved(act):
    prints = {
        made(act(ActionModule, ARGUMENTS, variables(greenlight_environment=environment)))["fingerprint"]
        for environment in ({"DEBUG": "0"}, "{{ settings }}")
    }
    assert len(prints) == 1


@pytest.mark.parametrize(
    ("app1", "said"),
    [
        ({"unreachable": True}, "app1: not reached"),
        ({}, "app1: not reached"),
        (host(disk_free=1023 * MIB), "app1: 1023 MiB are free below /opt"),
        (host(time=1.0), "app1: its clock differs"),
    ],
)
def test_a_fleet_that_is_not_ready_fails_without_facts(act, app1, said):
    result = act(ActionModule, ARGUMENTS, variables(app1=app1))
    assert result["failed"] is True
    assert result["msg"].startswith("The fleet is not ready for a deployment: 1 problem, nothing has been changed.")
    assert said in result["msg"]
    assert "ansible_facts" not in result


def test_a_missing_option_is_refused(act):
    with pytest.raises(AnsibleActionFail, match="source"):
        act(ActionModule, {"disk_free": 1, "clock_skew": 1}, variables())
