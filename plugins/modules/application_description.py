#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: application_description
short_description: Check the description of an application before any host is asked
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Checks every C(greenlight_*) variable, the groups C(proxies) and C(apps), the addresses of the hosts and the
    certificate, on the controller.
  - Reports all that is wrong at once, each with where, what was expected and what to do. An unknown variable or key is
    answered with the nearest right one.
  - The description with its defaults filled in, without secrets, arrives on every host of the play as the fact
    C(greenlight_application), keyed without the prefix.
options:
  limit:
    description:
      - The C(--limit) of the command line.
      - Anything but empty is refused, since a part of a fleet would leave two versions serving.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Check the description of the application
  greenlight.deploy.application_description:
    limit: "{{ ansible_limit | default('') }}"
  run_once: true
"""

RETURN = r"""
ansible_facts:
  description: The fact C(greenlight_application).
  returned: success
  type: dict
  sample: {greenlight_application: {app: mobile-sync, domain: sync.example.com, traffic: {steps: [10, 50, 100]}}}
"""
