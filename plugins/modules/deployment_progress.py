#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_progress
short_description: Let the proxies know what a deployment begins
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Leaves it with the processes that renew the locks of this run (see M(greenlight.deploy.deployment_lock)). They write
    it into the journals of their hosts within a second, while the run goes on. A run that holds no lock tells nobody.
  - It runs on the controller, with C(run_once), and needs no host. A host that cannot be reached gets to know it with
    the next renewal that succeeds.
  - What must be in the journal before the run goes on is for M(greenlight.deploy.deployment_journal).
options:
  deployment:
    description: Id of the deployment.
    type: str
    required: true
  data:
    description: What is begun, as C(data) of M(greenlight.deploy.deployment_journal). Never put a secret here.
    type: dict
    required: true
seealso:
  - module: greenlight.deploy.deployment_journal
  - module: greenlight.deploy.deployment_lock
"""

EXAMPLES = r"""
- name: Let the proxies know what is begun
  greenlight.deploy.deployment_progress:
    deployment: 20261122T124500Z-9f3a
    data: {state: running, phase: migrate the database, colour: green}
  run_once: true
"""

RETURN = r""" # """
