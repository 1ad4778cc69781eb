#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_plan
short_description: Make one plan for the fleet from what every host is
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Judges what the read-only modules P(greenlight.deploy.host_info#module), P(greenlight.deploy.release_info#module)
    and P(greenlight.deploy.traffic_info#module) said of every host, as the role P(greenlight.deploy.preflight#role)
    registers it.
  - Reports all that is wrong at once. A host that was lost is one of the problems.
  - The plan arrives on every host of the play as the fact C(greenlight_plan), together with C(greenlight_verdict).
options:
  source:
    description: Result of P(greenlight.deploy.release_source#module).
    type: dict
    required: true
  disk_free:
    description: Free space that is wanted below C(/opt) on application hosts, in MiB.
    type: int
    required: true
  clock_skew:
    description: The most that a host's clock may differ from the controller's, in seconds.
    type: int
    required: true
  redeploy:
    description: Deploy although the same commit with the same settings already serves.
    type: bool
    default: false
  deployment:
    description: Id of this run, when it has one already. A new one otherwise.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Make one plan for the fleet
  greenlight.deploy.deployment_plan:
    source: "{{ preflight_source }}"
    disk_free: 1024
    clock_skew: 30
  run_once: true
"""

RETURN = r"""
msg:
  description: The plan in one sentence.
  returned: success
  type: str
  sample: "v1.0.0 serves as blue; v2.0.0 (1a2b3c4) as green takes over by 10 % -> 50 % -> 100 %."
ansible_facts:
  description: The facts C(greenlight_plan) and C(greenlight_verdict).
  returned: success
  type: dict
  sample: {greenlight_plan: {release: 20261122T124500Z-1a2b3c4, serving: blue, candidate: green, steps: [10, 50, 100]}}
"""
