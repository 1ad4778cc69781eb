#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_journal
short_description: What was done in a deployment, kept on the proxies
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Run it on each proxy. An event becomes one line of the journal, and what it says of the deployment's progress goes
    into the record, from which a run that was killed is resumed.
  - Each line is on the disk when the module returns. The journal is kept below 2 MB; a line that a power cut tore is
    passed over when it is read.
attributes:
  check_mode:
    support: full
    description: Writes nothing.
  diff_mode:
    support: none
    description: Will return details on what has changed when in diff mode.
options:
  app:
    description: Name of the application.
    type: str
    required: true
  state:
    description: V(written) adds an event, V(read) only tells what there is.
    type: str
    choices: [written, read]
    default: written
  deployment:
    description: Id of the deployment. Required with O(state=written).
    type: str
    default: ""
  event:
    description: What happened, such as V(shifted). Required with O(state=written).
    type: str
    default: ""
  data:
    description:
      - What is to be known of it. C(state) (V(running), V(done), V(failed), V(rolled_back)), C(phase), C(step),
        C(colour), C(release) and C(share) also go into the record. Never put a secret here.
    type: dict
    default: {}
  last:
    description: How many entries to return.
    type: int
    default: 20
seealso:
  - module: greenlight.deploy.deployment_lock
"""

EXAMPLES = r"""
- name: Keep how far it came
  greenlight.deploy.deployment_journal:
    app: mobile-sync
    deployment: 20261122T124500Z-9f3a
    event: shifted
    data: {phase: cutover, colour: green, share: 10}

- name: See what the last run did
  greenlight.deploy.deployment_journal:
    app: mobile-sync
    state: read
  register: journal
"""

RETURN = r"""
deployment:
  description: How far the last deployment came, null when there was none.
  returned: success
  type: dict
  contains:
    deployment:
      description: Its id.
      type: str
    state:
      description: C(running), C(done), C(failed) or C(rolled_back).
      type: str
    phase:
      description: The part of the deployment.
      type: str
    step:
      description: The step of that part.
      type: str
    colour:
      description: The colour that is deployed.
      type: str
    release:
      description: The release that is deployed.
      type: str
    share:
      description: Its share of new clients.
      type: int
    updated:
      description: When this was last changed (UTC).
      type: str
    interrupted:
      description: The same of a deployment before it that never said how it ended, null when there is none.
      type: dict
entries:
  description: The last entries, oldest first.
  returned: success
  type: list
  elements: dict
  sample:
    - {at: "2026-11-22T12:45:02Z", deployment: 20261122T124500Z-9f3a, event: shifted, data: {colour: green, share: 10}}
torn:
  description: How many lines could not be read.
  returned: success
  type: int
returned:
  description: What the dead-man's switch did, as in M(greenlight.deploy.traffic_guard), null when it did nothing.
  returned: success
  type: dict
sentence:
  description: How far the last deployment came, in one sentence; empty when there was none.
  returned: success
  type: str
  sample: >-
    last deployment 20261122T124500Z-9f3a: running at 2026-11-22T12:49:12Z (cutover; 20261122T124500Z-1a2b3c4 on green;
    10 % of the clients)
returned_sentence:
  description: What the dead-man's switch did, in one sentence; empty when it did nothing.
  returned: success
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import clock, journal, sentences
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["written", "read"], "default": "written"},
    "deployment": {"type": "str", "default": ""},
    "event": {"type": "str", "default": ""},
    "data": {"type": "dict", "default": {}},
    "last": {"type": "int", "default": 20},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Write when that is asked, then tell."""
    wanted = module.params
    files = DeploymentFiles(Layout(text.app_name(wanted["app"])))
    last = text.number(wanted["last"], "last", 0, 10_000)
    writing = wanted["state"] == "written"
    if writing and module.check_mode:
        journal.line(journal.entry("", wanted["deployment"], wanted["event"], wanted["data"]))
    elif writing:
        files.note(clock.now(), wanted["deployment"], wanted["event"], wanted["data"])
    entries, torn = files.entries(last)
    record, returned = files.record(), files.returned()
    return {
        "changed": writing,
        "deployment": record,
        "entries": entries,
        "torn": torn,
        "returned": returned.as_dict() if returned else None,
        "sentence": journal.sentence(record),
        "returned_sentence": f"this proxy {sentences.returned(returned.as_dict())}" if returned else "",
    }


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
