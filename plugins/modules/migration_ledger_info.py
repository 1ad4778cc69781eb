#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_ledger_info
short_description: What each deployment did to the schema of a database
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment:
  - greenlight.deploy.read_only
  - greenlight.deploy.releases
  - greenlight.deploy.release_process
description:
  - Reads the ledger that M(greenlight.deploy.django_migration) keeps in the application's own PostgreSQL database, by
    the connection of any release that is installed on this host. It needs nothing of the controller that deployed.
  - Without this module, C(SELECT * FROM greenlight.migration_ledger ORDER BY id) shows the same.
options:
  deployment:
    description: Only this deployment. Every one by default.
    type: str
    default: ""
  database:
    description: Alias of the database in Django's settings.
    type: str
    default: default
  timeout:
    description: Seconds for the whole run.
    type: float
    default: 60
seealso:
  - module: greenlight.deploy.django_migration
"""

EXAMPLES = r"""
- name: What did which deployment apply?
  greenlight.deploy.migration_ledger_info:
    app: mobile-sync
    release: 20261122T124500Z-1a2b3c4
    environment: "{{ greenlight_environment }}"
    secrets: "{{ greenlight_secrets }}"
"""

RETURN = r"""
deployments:
  description: The deployments, newest first, with the release that has the files and the migrations that stand.
  returned: success
  type: list
  elements: dict
  sample:
    - deployment: 20261122T124455Z-5e6f
      release: 20261122T124500Z-1a2b3c4
      version: v2.0.0-sync
      stands: [core.0010_sync_idempotency_record]
      reversible: true
      sentence: 20261122T124455Z-5e6f (v2.0.0-sync) applied core.0010_sync_idempotency_record
rows:
  description:
    - The rows, oldest first. Times are UTC, empty where it has not come to that. C(recovered) is true of a row that was
      completed by a later run.
  returned: success
  type: list
  elements: dict
  sample:
    - id: 1
      app: mobile-sync
      deployment: 20261122T124455Z-5e6f
      release: 20261122T124500Z-1a2b3c4
      version: v2.0.0-sync
      framework: django
      migration: core.0010_sync_idempotency_record
      reversible: true
      begun_at: "2026-11-22T12:46:01Z"
      applied_at: "2026-11-22T12:46:01Z"
      reversed_at: ""
      seconds: 0.041
      schema_before: 0cc175b9c0f1b6a831c399e269772661
      schema_after: 92eb5ffee6ae2fec3ad71c777531578f
      role: mobile_sync
      recovered: false
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.build.secrecy import take_secrets
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.django import converse, request_of
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger import deployments
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "release": {"type": "str", "required": True},
    "version": {"type": "str", "default": ""},
    "colour": {"type": "str", "default": ""},
    "deployment": {"type": "str", "default": ""},
    "database": {"type": "str", "default": "default"},
    "environment": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "user": {"type": "str"},
    "root": {"type": "path", "default": "/opt"},
    "timeout": {"type": "float", "default": 60.0},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Read the ledger."""
    secrets, only = take_secrets(module, "secrets"), module.params["deployment"]
    with converse(request_of(module.params, secrets), lock=False) as conversation:
        conversation.graph()
        entries = [entry for entry in conversation.ledger() if only in ("", entry.deployment)]
    return {"deployments": deployments(entries), "rows": [asdict(entry) for entry in entries]}


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
