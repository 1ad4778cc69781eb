#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_backup
short_description: Take a backup of a PostgreSQL database that is proven to be readable or to restore
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.postgres
description:
  - Dumps the database with C(pg_dump) of the server's own version, in directory format and in parallel, and counts the
    rows of every table in the very snapshot that is dumped. Roles without their passwords and what belongs to the
    database (owner, privileges, settings) are saved beside it.
  - A backup is named for its deployment and never overwritten. It is written under a temporary name that only its owner
    can read, verified, brought to the disk and renamed; whatever goes wrong before that, nothing of it stays.
  - A backup of that name that is there already is checked against its checksums and left as it is. With
    O(verification=restore) it is then restored for a proof, if that was not done before.
  - Older backups are removed by rule, never the newest.
options:
  app:
    description: Name of the application.
    type: str
    required: true
  place:
    description: Folder that holds the backups of all applications.
    type: path
    default: /var/backups/greenlight
  kind:
    description: Whether the backup is taken before a deployment or by the clock. Each has its own retention.
    type: str
    choices: [deploy, scheduled]
    default: deploy
  deployment:
    description: >-
      Id of the deployment, which the backup is named for. Required for O(kind=deploy); a scheduled backup is named for
      the time, in UTC.
    type: str
  jobs:
    description: How many tables are dumped or restored at once.
    type: int
    default: 2
  compression:
    description: >-
      How the dump is compressed. V(auto) is zstd where the server's pg_dump has it (PostgreSQL 16 or newer), else gzip
      at its fastest.
    type: str
    choices: [auto, gzip, lz4, zstd]
    default: auto
  compression_level:
    description: Level of the compression. What is fast and small enough by default.
    type: int
  verification:
    description:
      - V(read) reads every entry of the dump to its end and records the SHA-256 of each file.
      - V(restore) also restores the dump into a scratch database of the same server, compares the rows of every table,
        measures how long that takes, and drops the scratch database.
    type: str
    choices: [read, restore]
    default: read
  media:
    description: Folder of files that rows point to. It is archived right after the snapshot, into the same backup.
    type: path
  fresh_within:
    description: >-
      Seconds. A backup that is younger is relied upon instead of taking another. For deployments that change nothing in
      the database. V(0) always takes one.
    type: int
    default: 0
  space_factor:
    description: Free bytes that are demanded in O(place) for each byte of the database.
    type: float
    default: 0.5
  size_change:
    description: >-
      What to do when the dump has under 70 % or over 200 % of the median of the last five with the same compression.
      V(fail) keeps nothing of it.
    type: str
    choices: [fail, accept]
    default: fail
  keep_deploy:
    description: How many backups of before a deployment stay.
    type: int
    default: 10
  keep_daily:
    description: For how many days the newest scheduled backup of the day stays.
    type: int
    default: 7
  keep_weekly:
    description: For how many weeks the newest scheduled backup of the week stays.
    type: int
    default: 4
  s3:
    description: >-
      Where a copy goes, under C(prefix/app/deployment/database/). Every file is checked after it was sent. A copy that
      broke off is taken up by the next run. The same rules of retention are kept there.
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
  lock_wait:
    description: Seconds to wait for another run that takes a backup of this database.
    type: float
    default: 60
  timeout:
    description: Seconds for each of the programs that are run.
    type: float
    default: 14400
attributes:
  check_mode:
    description: Can run in C(check_mode) and say whether a backup would be taken.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: none
seealso:
  - module: greenlight.deploy.pg_backup_info
  - module: greenlight.deploy.pg_restore
"""

EXAMPLES = r"""
- name: Back up before the migrations
  greenlight.deploy.pg_backup:
    app: mobile-sync
    deployment: 20261122T124500Z-1a2b3c4
    url: "{{ greenlight_secrets.DATABASE_URL }}"
    media: /srv/mobile-sync/media

- name: Every night, proven by a restore
  greenlight.deploy.pg_backup:
    app: mobile-sync
    kind: scheduled
    verification: restore
    database: mobile_sync
  become: true
  become_user: postgres
"""

RETURN = r"""
backup:
  description: >-
    The manifest of the backup that was taken or is relied upon; its tables and files are counted. Null when in check
    mode one would be taken.
  returned: success
  type: dict
  sample:
    id: 20261122T124500Z-1a2b3c4
    taken: 1795351500.12
    dump_bytes: 137012224
    verification: read
    tables: 41
    rows: 9812044
    seconds: {dump: 6.1, read: 1.9}
path:
  description: The folder of the backup.
  returned: success
  type: str
  sample: /var/backups/greenlight/mobile-sync/mobile_sync/20261122T124500Z-1a2b3c4
removed:
  description: Backups that went by the rules of retention.
  returned: success
  type: list
  elements: str
sentence:
  description: The same for people.
  returned: success
  type: str
  sample: >-
    mobile_sync is saved as 20261122T124500Z-1a2b3c4, 9812044 rows of 41 tables in 137.0 MB, every entry read to its end
"""

from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.database.backup import Wish, assure
from ansible_collections.greenlight.deploy.plugins.module_utils.database.backups import Backups
from ansible_collections.greenlight.deploy.plugins.module_utils.database.dump import Programs
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import LEVELS
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import ARGUMENTS as LOGIN
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import take_server
from ansible_collections.greenlight.deploy.plugins.module_utils.database.retention import KINDS, Keep
from ansible_collections.greenlight.deploy.plugins.module_utils.database.s3 import ARGUMENTS as S3
from ansible_collections.greenlight.deploy.plugins.module_utils.database.s3 import copies_of
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import TIME_FORMAT

ARGUMENTS: dict[str, Any] = {
    **LOGIN,
    "app": {"type": "str", "required": True},
    "place": {"type": "path", "default": "/var/backups/greenlight"},
    "kind": {"type": "str", "choices": list(KINDS), "default": "deploy"},
    "deployment": {"type": "str"},
    "jobs": {"type": "int", "default": 2},
    "compression": {"type": "str", "choices": ["auto", "gzip", "lz4", "zstd"], "default": "auto"},
    "compression_level": {"type": "int"},
    "verification": {"type": "str", "choices": list(LEVELS), "default": "read"},
    "media": {"type": "path"},
    "fresh_within": {"type": "int", "default": 0},
    "space_factor": {"type": "float", "default": 0.5},
    "size_change": {"type": "str", "choices": ["fail", "accept"], "default": "fail"},
    "keep_deploy": {"type": "int", "default": 10},
    "keep_daily": {"type": "int", "default": 7},
    "keep_weekly": {"type": "int", "default": 4},
    "s3": {"type": "dict", "options": S3},
    "lock_wait": {"type": "float", "default": 60.0},
    "timeout": {"type": "float", "default": 14400.0},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Have a backup."""
    wanted, server = module.params, take_server(module)
    if wanted["kind"] == "deploy" and not wanted["deployment"]:
        raise InvalidInput("is empty", where="deployment", expected="the id of the deployment")
    wish = Wish(
        id=wanted["deployment"] or datetime.now(timezone.utc).strftime(TIME_FORMAT),
        app=wanted["app"],
        kind=wanted["kind"],
        jobs=wanted["jobs"],
        method=wanted["compression"],
        level=wanted["compression_level"],
        verification=wanted["verification"],
        media=wanted["media"] or "",
        accept_size=wanted["size_change"] == "accept",
        space=wanted["space_factor"],
        fresh_within=wanted["fresh_within"],
        keep=Keep(wanted["keep_deploy"], wanted["keep_daily"], wanted["keep_weekly"]),
        lock_wait=wanted["lock_wait"],
    )
    store = Backups(wanted["place"], wanted["app"], server.database)
    copies = copies_of(wanted["s3"], wanted["app"], server.database)
    done = assure(Programs.of(server, wanted["timeout"]), store, wish, copies, check=module.check_mode)
    return {
        "changed": done.changed,
        "backup": done.manifest.summary() if done.manifest else None,
        "path": str(store.path(done.manifest.id if done.manifest else wish.id)),
        "removed": list(done.removed),
        "sentence": done.sentence,
    }


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS, required_if=[("kind", "deploy", ("deployment",))])


if __name__ == "__main__":
    main()
