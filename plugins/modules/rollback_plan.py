#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_plan
short_description: Choose the colour and the release that the clients go back to
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Reads what P(greenlight.deploy.traffic_info#module) said on each proxy, and P(greenlight.deploy.release_info#module)
    on each application host, as the role P(greenlight.deploy.rollback#role) registers it.
  - A shift that is under way goes back to the colour that served before it, a finished one to the last good colour.
    Fails when there is none or when the proxies do not agree; a proxy that is there already has no say.
  - A release that was left as bad is never chosen.
  - The way arrives on every host of the play as the fact C(greenlight_way_back), except for V(kind=traffic) together
    with C(greenlight_plan) and C(greenlight_verdict).
options:
  kind:
    description:
      - V(traffic) goes to a colour that runs.
      - V(code) goes to a release that is installed, which is to be started in the idle colour.
      - V(drill) goes to the other colour for a rehearsal. Refused where the inventory is called production, unless
        O(confirmed).
    type: str
    choices: [traffic, code, drill]
    default: traffic
  release:
    description: Id of the release to go back to. The last good one when it is empty.
    type: str
    default: ""
  confirmed:
    description: Whether clients of production may take part in a rehearsal.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Choose the way back
  greenlight.deploy.rollback_plan:
  run_once: true
"""

RETURN = r"""
msg:
  description: The way back in one sentence.
  returned: success
  type: str
  sample: "Back to v1.0.0 (blue), away from v2.0.0 (green)."
ansible_facts:
  description: The facts.
  returned: success
  type: dict
  sample: {greenlight_way_back: {colour: blue, left: green, release: 20261122T124500Z-1a2b3c4}}
"""
