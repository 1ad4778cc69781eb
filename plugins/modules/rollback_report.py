#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_report
short_description: Say whether every proxy went back, and after how many seconds
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Reads what M(greenlight.deploy.traffic_home) said on each proxy, as the role P(greenlight.deploy.rollback#role)
    registers it. A proxy that was not reached counts as one that is still to be done.
  - Seconds count from the start of C(ansible-playbook); they are never too small.
  - Decides, but does not fail. The facts C(greenlight_way_back) and C(greenlight_verdict) arrive on every host, and
    C(greenlight_plan) as soon as the description was checked.
options:
  kind:
    description:
      - Which rollback was done, for its budget in seconds. 60 for V(traffic), 600 for V(code).
      - After V(drill) it tells how a rehearsal went, once there and once more back.
    type: str
    choices: [traffic, code, drill]
    default: traffic
  quiet:
    description: Whether to print nothing, when it was said before.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: See who is home
  greenlight.deploy.rollback_report:
  run_once: true
"""

RETURN = r"""
msg:
  description: How it ended.
  returned: always
  type: str
  sample: >-
    v1.0.0 serves every client as blue. Switched 1.7 s and verified 1.8 s after the start; the budget is 60 s.
ansible_facts:
  description: The facts.
  returned: always
  type: dict
  sample: {greenlight_way_back: {colour: blue, home: [edge1], asleep: [], seconds: {switched: 1.7}, budget: 60}}
"""
