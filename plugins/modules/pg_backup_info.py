#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_backup_info
short_description: See which backups of a PostgreSQL database a host has, and whether they are intact
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Lists the backups that M(greenlight.deploy.pg_backup) took, from their manifests. The server is not asked.
  - Changes nothing.
options:
  app:
    description: Name of the application.
    type: str
    required: true
  database:
    description: Name of the database.
    type: str
    required: true
  place:
    description: Folder that holds the backups of all applications.
    type: path
    default: /var/backups/greenlight
  check:
    description:
      - What is looked at. V(manifest) reads what is written down.
      - V(checksum) compares every file with it.
      - V(read) also has every entry of each dump and archive read to its end.
    type: str
    choices: [manifest, checksum, read]
    default: manifest
seealso:
  - module: greenlight.deploy.pg_backup
"""

EXAMPLES = r"""
- name: Is every backup what it was?
  greenlight.deploy.pg_backup_info:
    app: mobile-sync
    database: mobile_sync
    check: read
  register: found
  failed_when: found is failed or found.damaged | length > 0
"""

RETURN = r"""
backups:
  description: The manifests of all backups, oldest first; tables and files are counted.
  returned: success
  type: list
  elements: dict
  sample: [{id: 20261122T124500Z-1a2b3c4, verification: restore, rows: 9812044, dump_bytes: 137012224}]
newest:
  description: Id of the newest backup that is intact as far as was looked, empty where there is none.
  returned: success
  type: str
age:
  description: Seconds since that was taken, by this host's clock; null where there is none.
  returned: success
  type: float
damaged:
  description: What is wrong, by the id of the backup.
  returned: success
  type: dict
  sample: {}
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.database.backup import examine
from ansible_collections.greenlight.deploy.plugins.module_utils.database.backups import Backups
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "database": {"type": "str", "required": True},
    "place": {"type": "path", "default": "/var/backups/greenlight"},
    "check": {"type": "str", "choices": ["manifest", "checksum", "read"], "default": "manifest"},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Look at every backup."""
    wanted = module.params
    found, damaged = examine(Backups(wanted["place"], wanted["app"], wanted["database"]), wanted["check"])
    intact = [each for each in found if each.id not in damaged]
    return {
        "backups": [each.summary() for each in found],
        "newest": intact[-1].id if intact else "",
        "age": time.time() - intact[-1].taken if intact else None,
        "damaged": damaged,
    }


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
