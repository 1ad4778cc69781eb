# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.action.fleet_verdict import ActionModule

APPS = {"step": "start", "hosts": ["app1", "app2"]}
FAILURE = {"task": "Start the instances", "reason": "port 8201 is held by nc"}


def variables(*lost, before=None, **failures):
    """A play of localhost and two hosts; ``failures`` are the facts of those that failed, ``lost`` are gone."""
    hosts = ["localhost", "app1", "app2"]
    return {
        "hostvars": {host: {"fleet_step_failure": failures[host]} if host in failures else {} for host in hosts},
        "ansible_play_hosts": [host for host in hosts if host not in lost],
        "greenlight_verdict": before,
    }


def test_every_host_did_it(act):
    result = act(ActionModule, APPS, variables())
    assert (result["changed"], result.get("failed", False)) == (False, False)
    assert result["ansible_facts"]["greenlight_verdict"]["go"] is True
    assert act.shown == ["  start: done on all 2 hosts."]


@pytest.mark.parametrize(
    ("seen", "failure"),
    [
        (variables(app2=FAILURE), {"host": "app2", **FAILURE}),
        (variables("app1"), {"host": "app1", "task": "", "reason": "unreachable"}),
    ],
)
def test_a_host_that_failed_or_was_lost_stops_the_fleet(act, seen, failure):
    result = act(ActionModule, APPS, seen)
    found = result["ansible_facts"]["greenlight_verdict"]
    assert (found["go"], found["failures"]) == (False, [failure])
    assert result["msg"] == found["sentence"]


def test_a_host_that_has_no_part_in_the_step_does_not_count(act):
    result = act(ActionModule, {"step": "migrate", "hosts": ["app1"]}, variables("app2", app2=FAILURE))
    assert result["ansible_facts"]["greenlight_verdict"]["go"] is True


def test_a_no_stays_and_is_said_once(act):
    before = act(ActionModule, APPS, variables("app1"))["ansible_facts"]["greenlight_verdict"]
    act.shown.clear()
    after = act(ActionModule, {**APPS, "step": "cutover"}, variables(before=before))
    assert after["ansible_facts"]["greenlight_verdict"] == before
    assert act.shown == []


def test_a_wave_is_said(act):
    act(ActionModule, {**APPS, "wave": 2, "waves": 3}, variables())
    assert act.shown == ["  start (wave 2 of 3): done on all 2 hosts."]
