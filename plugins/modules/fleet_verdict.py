#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_verdict
short_description: Decide once for the whole fleet whether a deployment goes on
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Collects what every host said of a step, counts the hosts that were lost, and decides once, on the controller.
  - A host failed when its fact C(fleet_step_failure) is set, or when it is no longer in the play, which is how Ansible
    treats a host that it could not reach.
  - The verdict arrives on every host of the play as the fact C(greenlight_verdict). Once it is no, it stays no for the
    run.
  - Run it with C(run_once), in a play that holds C(localhost) too, so that the play goes on when every managed host was
    lost.
options:
  step:
    description: Name of the step that is judged.
    type: str
    required: true
  hosts:
    description: Hosts that must have done the step.
    type: list
    elements: str
    required: true
  wave:
    description: Which wave of hosts has done it, counted from 1.
    type: int
    default: 1
  waves:
    description: How many waves there are.
    type: int
    default: 1
"""

EXAMPLES = r"""
- name: Decide whether the fleet goes on
  greenlight.deploy.fleet_verdict:
    step: start the new release
    hosts: "{{ groups['apps'] }}"
  run_once: true
"""

RETURN = r"""
msg:
  description: The verdict in one sentence.
  returned: always
  type: str
  sample: "start the new release: 1 of 2 hosts failed; app2 in 'Start the instances': port 8201 is held by nc (pid 17)"
ansible_facts:
  description: The fact C(greenlight_verdict).
  returned: always
  type: dict
  contains:
    greenlight_verdict:
      description: The verdict.
      returned: always
      type: dict
      sample:
        go: true
        step: start the new release
        failures: []
        sentence: "start the new release: done on all 2 hosts."
"""
