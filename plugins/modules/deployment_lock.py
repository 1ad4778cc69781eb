#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_lock
short_description: One deployment at a time, also when two people begin one
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Run it on each proxy; first on one of them for everybody the same, then on the others, so that two runs never wait
    for each other.
  - The lock has a lease. While the run lives, a process on the controller renews it every O(heartbeat) seconds; it ends
    with the run, whatever ends the run. The lease is counted by the host's own clock since boot, so that a wrong wall
    clock does not matter.
  - A lock whose holder ran on this controller and is dead is taken over at once, another one when its lease is over;
    otherwise it is waited for. Every takeover is said, and recorded in the journal.
  - A renewal also tells the dead-man's switch of M(greenlight.deploy.traffic_guard) that the controller is alive.
attributes:
  check_mode:
    support: full
    description: Says what would be done with the lock; nothing is written and nothing is renewed.
  diff_mode:
    support: none
    description: Will return details on what has changed when in diff mode.
options:
  app:
    description: Name of the application.
    type: str
    required: true
  state:
    description:
      - V(taken) takes the lock or fails, and has it renewed until V(released).
      - V(renewed) renews it once, and fails when it is no longer the caller's.
      - V(released) gives it free when it is the caller's. A lock that is another's stays as it is (RV(how) is V(held)),
        and one that is not there is no error.
      - V(present) tells who has it. In a run that took it, it also renews it, and fails when it has been lost since.
    type: str
    choices: [taken, renewed, released, present]
    default: present
  deployment:
    description: Id of the deployment. Required unless O(state=present).
    type: str
    default: ""
  version:
    description: What is deployed, for others to see.
    type: str
    default: ""
  reason:
    description: What it is for, for others to see.
    type: str
    default: ""
  lease:
    description: Seconds for which the lock holds without a renewal, at least two heartbeats. V(0) is without an end.
    type: int
    default: 120
  heartbeat:
    description: Seconds between renewals. V(0) means that a person holds the lock, and nothing renews it.
    type: int
    default: 30
  wait:
    description: Seconds to wait for a lock that another holds.
    type: int
    default: 900
  steal:
    description: Whether to take (or release) a lock that another holds. Needs O(reason), which is recorded.
    type: bool
    default: false
  holder:
    description: Who asks. Found out on the controller; not to be given.
    type: dict
    suboptions:
      owner:
        description: User and controller.
        type: str
        required: true
      process:
        description: The process of the run; none when a person holds the lock.
        type: dict
        suboptions:
          host:
            description: Name of the controller.
            type: str
            required: true
          boot:
            description: Id of its boot.
            type: str
            required: true
          namespace:
            description: Where the number of the process means something.
            type: str
            required: true
          pid:
            description: Number of the process.
            type: int
            required: true
          started:
            description: When it started.
            type: str
            required: true
  dead:
    description: Token of a lock whose holder is known to be dead. Found out on the controller; not to be given.
    type: str
    default: ""
  progress:
    description:
      - What the run has begun since the last renewal, written into the journal with V(renewed), each as the event
        V(begun) with these data. M(greenlight.deploy.deployment_progress) gives it to the process on the controller.
    type: list
    elements: dict
    default: []
seealso:
  - module: greenlight.deploy.traffic_guard
  - module: greenlight.deploy.deployment_journal
  - module: greenlight.deploy.deployment_progress
"""

EXAMPLES = r"""
- name: Nobody else deploys meanwhile
  greenlight.deploy.deployment_lock:
    app: mobile-sync
    state: taken
    deployment: 20261122T124500Z-9f3a
    version: v2.0.0
    reason: "release of November"

- name: Give it free
  greenlight.deploy.deployment_lock:
    app: mobile-sync
    state: released
    deployment: 20261122T124500Z-9f3a

- name: Nobody deploys over the weekend
  greenlight.deploy.deployment_lock:
    app: mobile-sync
    state: taken
    deployment: freeze
    reason: "audit until Monday"
    lease: 0
    heartbeat: 0
    wait: 0
"""

RETURN = r"""
how:
  description:
    - How the lock was got or released. V(free), V(own) (it was the caller's already), V(dead), V(expired), V(stolen),
      or V(held) when it is another's. Null for O(state=present).
  returned: success
  type: str
  sample: expired
waited:
  description: Whether another had the lock first. What was seen before may then be different now.
  returned: when taken
  type: bool
lock:
  description: The lock as it is now, null when there is none.
  returned: success
  type: dict
  contains: &lock
    owner:
      description: User and controller.
      type: str
    process:
      description: The process of the run on the controller, null when a person holds it.
      type: dict
    deployment:
      description: Id of the deployment.
      type: str
    version:
      description: What is deployed.
      type: str
    reason:
      description: What it is for.
      type: str
    lease:
      description: Seconds for which it holds without a renewal.
      type: int
    heartbeat:
      description: Seconds between renewals.
      type: int
    token:
      description: New with every taking.
      type: str
    taken:
      description: When it was taken (UTC, by the host's clock).
      type: str
    renewed:
      description: When it was last renewed (UTC, by the host's clock).
      type: str
    held:
      description: Seconds since it was taken, null when the host has booted since.
      type: int
    left:
      description: Seconds that are left of its lease, null when it has no end.
      type: int
    expires:
      description: When that is (UTC, by the host's clock), null when it has no end.
      type: str
  sample:
    owner: ann@laptop
    process: {host: laptop, boot: 6e1f, namespace: "pid:[4026531836]", pid: 4711, started: "1200345"}
    deployment: 20261122T124500Z-9f3a
    version: v2.0.0
    reason: release of November
    lease: 120
    heartbeat: 30
    token: 5f0d7a3e9b1c2d44
    taken: "2026-11-22T12:45:02Z"
    renewed: "2026-11-22T12:46:02Z"
    held: 75
    left: 105
    expires: "2026-11-22T12:48:02Z"
before:
  description: The lock as it was before, null when there was none.
  returned: success
  type: dict
  contains: *lock
lost:
  description: For O(state=renewed), why it is no longer the caller's; empty when it is.
  returned: when renewed
  type: str
returned:
  description: For O(state=renewed), what the dead-man's switch did in this deployment; empty when nothing.
  returned: when renewed
  type: str
sentence:
  description: What became of it, in one sentence.
  returned: success
  type: str
  sample: >-
    locked by ann@laptop (deployment 20261122T124500Z-9f3a, v2.0.0) since 12:45:02 UTC, for 75 s; 105 s of its lease are
    left
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import clock
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guarding import Switch
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.holding import Holding
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.lock import claim_of
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.options import ARGUMENTS
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.services.systemd import Systemd
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles


def act(module: AnsibleModule) -> dict[str, Any]:
    """Do with the lock of this host what is asked, without waiting."""
    wanted = module.params
    layout = Layout(text.app_name(wanted["app"]))
    files = DeploymentFiles(layout)
    switch = Switch(files, TrafficFiles(layout.traffic), Systemd(stop_timeout=10))
    holding = Holding(files, switch, clock.now(), check=module.check_mode)
    if wanted["state"] == "present":
        return holding.look()
    claim = claim_of(wanted)
    if wanted["state"] == "renewed":
        return holding.renew(claim, wanted["progress"])
    change = holding.take if wanted["state"] == "taken" else holding.release
    return change(claim, steal=wanted["steal"], dead=wanted["dead"])


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS, required_if=[("state", state, ["holder"]) for state in ("taken", "renewed", "released")])


if __name__ == "__main__":
    main()
