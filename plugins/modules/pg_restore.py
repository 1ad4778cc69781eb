#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_restore
short_description: Bring a backup back under the name of its database, by a swap
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.postgres
description:
  - Restores a backup of M(greenlight.deploy.pg_backup) into a new database while the live one goes on serving, compares
    the rows of every table with the manifest, gives it the owner, privileges and settings of the live one, and then
    swaps the names in one transaction. Connections are ended and kept waiting for that moment only.
  - The database that was replaced is kept as C(<database>_replaced_<id>). Nothing is dropped but what an interrupted
    restore left.
  - Killed at any moment it leaves the old or the new database under the name, and the next run goes on from there.
  - Everything that was written since the backup is lost. What that is is said before anything is done, in check mode
    and in the refusal of a run that is not confirmed.
  - Log in as a role that may create databases and end the connections of others, such as C(postgres).
options:
  app:
    description: Name of the application.
    type: str
    required: true
  place:
    description: Folder that holds the backups of all applications.
    type: path
    default: /var/backups/greenlight
  backup:
    description: Id of the backup. The newest one by default.
    type: str
  id:
    description: >-
      Id of this restore. It names the database that is kept. A second run with the id of the latest restore changes
      nothing. The id of the backup by default.
    type: str
  confirm:
    description: The name of the database, typed by the person who wants it replaced. Nothing is done without it.
    type: str
    default: ""
  rehearse:
    description: >-
      Only restore into a scratch database, compare, measure and drop it. The live database is not touched and no
      confirmation is needed.
    type: bool
    default: false
  fence:
    description:
      - Keep everybody but superusers out of the database and end every connection, from before the restore until after
        the swap, so that nothing is written that would be lost. Whatever happens the database is opened again; after a
        run that was killed by the next one.
      - Without it applications use the old database until the swap.
    type: bool
    default: false
  media:
    description: >-
      Folder that the archived files of the backup replace right after the swap. What it held is kept beside it as
      C(<folder>_replaced_<id>).
    type: path
  s3:
    description: >-
      Where M(greenlight.deploy.pg_backup) put copies. A backup that this host does not have is brought from there and
      checked.
    type: dict
    suboptions:
      bucket:
        description: Name of the bucket.
        type: str
        required: true
      prefix:
        description: First part of every key, such as the name of the environment.
        type: str
        default: ""
      region:
        description: Region of the bucket.
        type: str
      endpoint_url:
        description: Address of the store, where it is not Amazon's.
        type: str
      sse:
        description: How the store encrypts.
        type: str
        choices: [AES256, "aws:kms"]
        default: AES256
      kms_key_id:
        description: Key for V(aws:kms), the account's own by default.
        type: str
      access_key:
        description: Id of the access key. By default boto3 looks into the environment, its files and the host's role.
        type: str
      secret_key:
        description: The access key.
        type: str
      session_token:
        description: Token of a session.
        type: str
      part_size:
        description: MiB. A larger file is sent in parts of that size, and a part that arrived is not sent again.
        type: int
        default: 64
  jobs:
    description: How many tables are restored at once.
    type: int
    default: 2
  timeout:
    description: Seconds for each of the programs that are run.
    type: float
    default: 14400
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what would be lost.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: none
seealso:
  - module: greenlight.deploy.pg_backup
  - module: greenlight.deploy.pg_backup_info
"""

EXAMPLES = r"""
- name: See what a restore would lose
  greenlight.deploy.pg_restore:
    app: mobile-sync
    database: mobile_sync
    backup: 20261122T124500Z-1a2b3c4
  check_mode: true
  become: true
  become_user: postgres

- name: Restore
  greenlight.deploy.pg_restore:
    app: mobile-sync
    database: mobile_sync
    backup: 20261122T124500Z-1a2b3c4
    confirm: "{{ restore_confirm }}"
  become: true
  become_user: postgres

- name: Rehearse it every week
  greenlight.deploy.pg_restore:
    app: mobile-sync
    database: mobile_sync
    rehearse: true
  become: true
  become_user: postgres
"""

RETURN = r"""
backup:
  description: The manifest of the backup; its tables and files are counted.
  returned: success
  type: dict
  sample: {id: 20261122T124500Z-1a2b3c4, taken: 1795351500.12, rows: 9812044}
loss:
  description: >-
    The seconds since the backup (what was written in them is lost), and the tables whose number of rows differs. Null
    tables mean that there is no database, or that it cannot be counted; then C(unknown) says why.
  returned: success, null for a rehearsal
  type: dict
  sample: {seconds: 812.4, tables: [{name: '"public"."orders"', now: 20012, backup: 20000}]}
replaced:
  description: The name under which the database that was replaced is kept, empty where there was none.
  returned: success
  type: str
  sample: mobile_sync_replaced_20261122T124500Z-1a2b3c4
seconds:
  description: What the whole restore took, C(0) where none was done.
  returned: success
  type: float
outage:
  description: Seconds for which nobody was let in.
  returned: success
  type: float
sentence:
  description: The same for people.
  returned: success
  type: str
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.database.backups import Backups, require_id
from ansible_collections.greenlight.deploy.plugins.module_utils.database.dump import Programs
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import ARGUMENTS as LOGIN
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import take_server
from ansible_collections.greenlight.deploy.plugins.module_utils.database.recovery import (
    Restore,
    provide,
    rehearse,
    restore,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.restoring import MAINTENANCE
from ansible_collections.greenlight.deploy.plugins.module_utils.database.s3 import ARGUMENTS as S3
from ansible_collections.greenlight.deploy.plugins.module_utils.database.s3 import copies_of
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run

ARGUMENTS: dict[str, Any] = {
    **LOGIN,
    "app": {"type": "str", "required": True},
    "place": {"type": "path", "default": "/var/backups/greenlight"},
    "backup": {"type": "str"},
    "id": {"type": "str"},
    "confirm": {"type": "str", "default": ""},
    "rehearse": {"type": "bool", "default": False},
    "fence": {"type": "bool", "default": False},
    "media": {"type": "path"},
    "s3": {"type": "dict", "options": S3},
    "jobs": {"type": "int", "default": 2},
    "timeout": {"type": "float", "default": 14400.0},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Restore, or rehearse it."""
    wanted, server = module.params, take_server(module)
    store = Backups(wanted["place"], wanted["app"], server.database)
    copies = copies_of(wanted["s3"], wanted["app"], server.database)
    manifest = provide(store, copies, wanted["backup"], check=module.check_mode)
    programs = Programs.of(server, wanted["timeout"], ask=MAINTENANCE)
    if wanted["rehearse"]:
        done = rehearse(programs, store, manifest, wanted["jobs"], check=module.check_mode)
    else:
        wish = Restore(
            id=require_id(wanted["id"] or manifest.id),
            confirm=wanted["confirm"],
            jobs=wanted["jobs"],
            fence=wanted["fence"],
            media=wanted["media"] or "",
        )
        done = restore(programs, store.path(manifest.id), manifest, wish, check=module.check_mode)
    return {"backup": manifest.summary(), **asdict(done)}


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
