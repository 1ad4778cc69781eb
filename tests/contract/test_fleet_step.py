# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role fleet_step, on hosts that fail and that are lost."""

from __future__ import annotations

import json

import pytest

BEGIN = """
- name: A step
  hosts: localhost:a:b:lost
  gather_facts: false
  vars:
    greenlight_plan: {nothing_to_do: %(done)s}
    fails: %(fails)s
  tasks:
    - greenlight.deploy.fleet_verdict: {step: begin, hosts: []}
      run_once: true
"""
STEP = """
    - include_role: {name: greenlight.deploy.fleet_step}
      vars:
        fleet_step_name: %(step)s
        fleet_step_role: does_it
        fleet_step_hosts: %(hosts)s
        fleet_step_waves: %(waves)s
        step: %(step)s
"""


def steps(*named, fails=(), done=False):
    """A play of steps: each a name and its hosts, or its waves."""
    text = BEGIN % {"done": json.dumps(done), "fails": json.dumps(list(fails))}
    for name, hosts in named:
        waves = hosts if isinstance(hosts[0], list) else []
        flat = [host for wave in waves for host in wave] or hosts
        text += STEP % {"step": name, "hosts": json.dumps(flat), "waves": json.dumps(waves)}
    return text


@pytest.mark.parametrize(
    ("hosts", "fails", "did", "said"),
    [
        (["a", "b"], [], ["a", "b"], "first: done on all 2 hosts."),
        (["a", "b"], ["a"], ["b"], "first: 1 of 2 hosts failed; a in 'Do it, or fail"),
        (["a", "lost"], [], ["a"], "first: 1 of 2 hosts failed; lost: unreachable."),
        ([["a"], ["b"]], [], ["a", "b"], "first (wave 2 of 2): done."),
        ([["a"], ["b"]], ["a"], [], "first (wave 1 of 2): 1 of 1 host failed; a in"),
        ([["lost"], ["a", "b"]], [], [], "first (wave 1 of 2): 1 of 1 host failed; lost: unreachable."),
        ([["a"], ["b", "lost"]], [], ["a", "b"], "first (wave 2 of 2): 1 of 2 hosts failed; lost: unreachable."),
    ],
)
def test_the_fleet_goes_on_only_when_all_did_it(play, hosts, fails, did, said):
    run = play(steps(("first", hosts), ("second", ["a", "b"]), fails=fails))
    assert said in run.said
    assert run.marks.get("first", []) == did
    assert run.marks.get("second", []) == (["a", "b"] if "failed" not in said else [])


def test_a_deployment_that_is_done_does_nothing(play):
    assert play(steps(("first", ["a", "lost"]), done=True)).marks == {}
