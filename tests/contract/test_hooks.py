# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role hooks, on hosts that are this machine."""

from __future__ import annotations

import json

import pytest

SHOW = "echo MARK $GREENLIGHT_POINT $GREENLIGHT_VERSION-$GREENLIGHT_COLOUR-$GREENLIGHT_SHARE-$GREENLIGHT_DEPLOYMENT END"
PLAY = """
- name: A deployment
  hosts: localhost:a:b:lost
  gather_facts: false
  vars:
    greenlight_app: shop
    greenlight_plan: {deployment: d1, candidate: green, release: r1, version: v2, build_host: a}
    greenlight_application: {hooks: %(hooks)s}
  tasks:
    - greenlight.deploy.fleet_verdict: {step: begin, hosts: []}
      run_once: true
    - include_role: {name: greenlight.deploy.hooks}
      vars: {hooks_at: %(at)s, hooks_share: 10}
    - debug: {msg: "MARK {{ inventory_hostname }} {{ hostvars['localhost'].greenlight_verdict.go | lower }} END"}
      when: inventory_hostname != 'lost'
"""


def hook(at="before_traffic", hosts="controller", command=None, tasks=None, timeout=60):
    return {"at": at, "hosts": hosts, "command": command, "tasks": tasks, "timeout": timeout}


def deployment(*hooks, at="before_traffic"):
    return (PLAY % {"hooks": json.dumps(hooks), "at": at}).replace("become: true", "")


GO, NO = {"true": ["a", "b", "localhost"]}, {"false": ["a", "b", "localhost"]}


@pytest.fixture
def wrote(tmp_path):
    """A command that writes down what it knows, and what all such commands have written."""
    path = tmp_path / "written"
    names = "$GREENLIGHT_POINT $GREENLIGHT_VERSION $GREENLIGHT_COLOUR $GREENLIGHT_SHARE $GREENLIGHT_DEPLOYMENT"
    return ["sh", "-c", f"echo {names} >> {path}"], lambda: path.read_text().splitlines() if path.exists() else []


def test_a_hook_of_this_point_is_run_once_on_each_of_its_hosts_and_knows_the_deployment(play, wrote):
    command, written = wrote
    hooks = [hook(command=command), hook(hosts="apps", command=command), hook(at="after_share", command=command)]
    run = play(deployment(*hooks))
    assert run.marks == GO, run.said
    assert written() == ["before_traffic v2 green 10 d1"] * 3


def test_the_tasks_of_a_file_are_done_with_the_same_environment(play, tmp_path, wrote):
    command, written = wrote
    (tmp_path / "flags.yml").write_text(f"- command: {{argv: {json.dumps(command)}}}\n")
    run = play(deployment(hook(hosts="build_host", tasks="flags.yml")))
    assert run.marks == GO, run.said
    assert written() == ["before_traffic v2 green 10 d1"]


@pytest.mark.parametrize(
    ("at", "one", "marks", "said"),
    [
        ("before_traffic", hook(command=["false"]), NO, "1 of 1 host failed; localhost in 'Run false'"),
        ("before_traffic", hook(command=["sleep", "9"], timeout=1), NO, "hook before_traffic: 1 of 1 host failed"),
        ("after_share", hook("after_share", "proxies", ["false"]), NO, "hook after_share: 1 of 1 host failed; b in"),
        ("after_failure", hook("after_failure", command=["false"]), GO, "The hook at after_failure failed"),
    ],
)  # fmt: skip
def test_a_hook_that_fails_is_a_no_as_long_as_there_is_a_way_back(play, wrote, at, one, marks, said):
    command, written = wrote
    run = play(deployment(one, hook(at, command=command), at=at))
    assert said in run.said
    assert run.marks == marks
    assert bool(written()) == (marks == GO), "those after it are left out"
    assert run.status == 0
