#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: django_migration
short_description: Bring a database forward by an ordered list of Django migrations, or undo what a deployment applied
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: [greenlight.deploy.releases, greenlight.deploy.release_process]
description:
  - Plans all targets first, in one process of the release's own interpreter, then applies them in their order.
  - Forward only, unless O(direction=reverse). A target that is applied already is left as it is, whatever came after
    it; nothing is ever unapplied, so that a second run changes nothing.
  - Refuses a target that does not exist, one that is listed twice, and an order that contradicts the dependencies,
    before anything is applied.
  - On PostgreSQL one process migrates at a time (advisory lock of the session). An atomic migration and Django's record
    of it are one transaction.
  - A statement that is not given its lock is tried again after a pause; nobody queues behind a transaction that is old
    already, since every other client would queue behind us. C(CREATE INDEX CONCURRENTLY) waits longer for its lock and
    takes as long as it takes; what an earlier attempt left under its name is dropped first.
  - On PostgreSQL it keeps a ledger in the table C(greenlight.migration_ledger) of the application's own database,
    written with the rights of the application's role. The schema C(greenlight) is made when it is missing. A run that
    was killed is recognised by the next one, and the ledger brought in line with what is applied.
  - It needs a direct connection, not one through a pooler that shares sessions.
  - On other databases it plans and applies, with neither lock nor ledger.
options:
  deployment:
    description:
      - Deployment under which the ledger knows what is applied. The id of the release by default.
      - With O(direction=reverse), the deployment to undo. By default the newest with something that stands and that
        O(serving) does not know. Without O(serving) the newest in the ledger; when all of that is undone already,
        nothing is changed.
    type: str
    default: ""
  direction:
    description:
      - V(forward) applies O(targets).
      - V(reverse) reads the ledger and undoes exactly what O(deployment) applied, newest first, with the code of
        O(release), which must have the files. It refuses when a step is irreversible, when a later deployment applied
        migrations that stand, when something else that is applied depends on them, or when O(serving) knows them.
    type: str
    choices: [forward, reverse]
    default: forward
  targets:
    description: >-
      Targets in order, as C(app.name). Empty means every pending migration, in the order of the dependencies. Not used
      with O(direction=reverse).
    type: list
    elements: str
    default: []
  serving:
    description:
      - Id of the release that serves and goes on serving.
      - What its models use is not dropped or renamed without a word, see O(unsafe). Where it is not on this
        host, everything that is dropped or renamed counts as used.
      - With O(direction=reverse), nothing that it knows is undone.
    type: str
    default: ""
  unsafe:
    description:
      - What to do about a plan that clients would notice, such as an index that is not built concurrently on a table
        that has rows, a column that must not be null and has no default, a type that changes, or something dropped or
        renamed that O(serving) uses.
      - V(fail) applies nothing. V(warn) warns. V(allow) does not even look, except in check mode.
    type: str
    choices: [fail, warn, allow]
    default: warn
  longest:
    description:
      - A plan that is estimated to take more than this many seconds is refused, unless O(unsafe=allow). The estimate is
        made of the sizes of the tables.
    type: float
    default: 300
  unfinished:
    description:
      - What to do about a migration that an earlier run began and did not end, and that changed the schema. Only one
        that is not atomic can.
      - V(fail) changes nothing and says which. V(retry) runs it again.
    type: str
    choices: [fail, retry]
    default: fail
  database:
    description: Alias of the database in Django's settings.
    type: str
    default: default
  lock_wait:
    description: Seconds to wait for another process that migrates.
    type: float
    default: 60
  lock_timeout:
    description: Seconds that a statement may wait for a lock.
    type: float
    default: 2
  tries:
    description: How often to ask for a lock. The pauses are 3, 6, 12 s and so on, at most 60 s.
    type: int
    default: 10
  statement_timeout:
    description: Seconds that a statement may take.
    type: float
    default: 900
  exclusive_timeout:
    description: >-
      Seconds that a statement may take, once it has its lock, that locks out readers of a table that was there before.
    type: float
    default: 5
  concurrent_lock_timeout:
    description: Seconds that the concurrent build of an index may wait for a lock. It may take as long as it takes.
    type: float
    default: 300
  old_transaction:
    description: A transaction older than this many seconds is not queued behind.
    type: float
    default: 60
  idle_transaction:
    description: A transaction that has been idle for longer than this many seconds is not queued behind.
    type: float
    default: 30
  timeout:
    description: Seconds for the whole run.
    type: float
    default: 3600
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the plan without applying it.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: full
seealso:
  - module: greenlight.deploy.django_migration_info
  - module: greenlight.deploy.migration_ledger_info
"""

EXAMPLES = r"""
- name: Bring the database forward
  greenlight.deploy.django_migration:
    app: mobile-sync
    release: 20261122T124500Z-1a2b3c4
    deployment: 20261122T124455Z-5e6f
    targets:
      - core.0014_sync_device_health
      - voice_recognition.0001_voice_verification_log
    environment: "{{ greenlight_environment }}"
    secrets: "{{ greenlight_secrets }}"

- name: Undo what that deployment applied
  greenlight.deploy.django_migration:
    app: mobile-sync
    release: 20261122T124500Z-1a2b3c4
    deployment: 20261122T124455Z-5e6f
    direction: reverse
    serving: 20261121T090000Z-7f3c2aa
    environment: "{{ greenlight_environment }}"
    secrets: "{{ greenlight_secrets }}"
"""

RETURN = r"""
plan:
  description: Each target with the migrations that it needs. In reverse, each migration to undo by itself.
  returned: always
  type: list
  elements: dict
  sample: [{target: core.0014_sync_device_health, migrations: [core.0014_sync_device_health]}]
deployment:
  description: The deployment under which the ledger knows it.
  returned: always
  type: str
  sample: 20261122T124455Z-5e6f
applied:
  description: Migrations that were applied, or undone in reverse, with their seconds.
  returned: always
  type: list
  elements: dict
  sample: [{migration: core.0014_sync_device_health, seconds: 0.041}]
recovered:
  description: Migrations whose row of the ledger was brought in line with what is applied.
  returned: always
  type: list
  elements: str
waits:
  description: Each time that a lock was not given, the seconds until the next try and who was in the way.
  returned: always
  type: list
  elements: dict
  sample: [{seconds: 3.0, blockers: ['pid 4711 (shop) idle in transaction for 45 s with core_device: SELECT 1']}]
migrations:
  description:
    - What the plan does, in check mode and unless O(unsafe=allow). C(unknown) says why statements cannot be shown.
      C(lock) is the strongest lock on tables that exist, C(seconds) an estimate.
  returned: always
  type: list
  elements: dict
  sample:
    - migration: core.0014_sync_device_health
      seconds: 0.03
      unknown: ""
      statements:
        - sql: ALTER TABLE "core_device" ADD COLUMN "health" integer NULL
          lock: ACCESS EXCLUSIVE
          tables: [core_device]
          work: nothing
          seconds: 0.01
tables:
  description: Tables that the plan touches and that exist, with their size and estimated rows.
  returned: always
  type: dict
  sample: {core_device: {rows: 52000, bytes: 9437184, empty: false}}
hazards:
  description: What is unsafe in the plan, and how to do it safely.
  returned: always
  type: list
  elements: dict
  sample:
    - migration: core.0014_sync_device_health
      kind: create_index
      table: core_device
      says: nobody can write to core_device (some 52000 rows) while the index is built
      do: AddIndexConcurrently in a migration with atomic = False
not_listed:
  description: Migrations that are pending and that no target asks for.
  returned: always
  type: list
  elements: str
irreversible:
  description: Migrations of the plan that cannot be undone by a reverse migration.
  returned: always
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.build.secrecy import take_secrets
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import hazards, reversal
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.django import (
    Conversation,
    converse,
    request_of,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger import chosen
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import pending, plan
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.waiting import Terms
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "release": {"type": "str", "required": True},
    "version": {"type": "str", "default": ""},
    "colour": {"type": "str", "default": ""},
    "deployment": {"type": "str", "default": ""},
    "direction": {"type": "str", "choices": ["forward", "reverse"], "default": "forward"},
    "targets": {"type": "list", "elements": "str", "default": []},
    "serving": {"type": "str", "default": ""},
    "unsafe": {"type": "str", "choices": ["fail", "warn", "allow"], "default": "warn"},
    "longest": {"type": "float", "default": 300.0},
    "unfinished": {"type": "str", "choices": ["fail", "retry"], "default": "fail"},
    "database": {"type": "str", "default": "default"},
    "environment": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "user": {"type": "str"},
    "root": {"type": "path", "default": "/opt"},
    "lock_wait": {"type": "float", "default": 60.0},
    "lock_timeout": {"type": "float", "default": 2.0},
    "tries": {"type": "int", "default": 10},
    "statement_timeout": {"type": "float", "default": 900.0},
    "exclusive_timeout": {"type": "float", "default": 5.0},
    "concurrent_lock_timeout": {"type": "float", "default": 300.0},
    "old_transaction": {"type": "float", "default": 60.0},
    "idle_transaction": {"type": "float", "default": 30.0},
    "timeout": {"type": "float", "default": 3600.0},
}


class Migrating:
    """One call: what is asked for, and the process that does it."""

    def __init__(self, module: AnsibleModule) -> None:
        self._wanted: Mapping[str, Any] = module.params
        self._secrets = take_secrets(module, "secrets")
        self._check: bool = module.check_mode
        self._warn: Callable[[str], None] = module.warn

    def run(self) -> dict[str, Any]:
        """Plan, then apply or undo what is due."""
        names = [field.name for field in fields(Terms) if field.name in self._wanted]
        terms = Terms(**{name: self._wanted[name] for name in names})
        request = request_of(self._wanted, self._secrets, terms=terms, lock_wait=self._wanted["lock_wait"])
        with converse(request, lock=not self._check) as conversation:
            act = self._reverse if self._wanted["direction"] == "reverse" else self._forward
            return {**act(conversation), "waits": conversation.waits}

    def _forward(self, conversation: Conversation) -> dict[str, Any]:
        graph = conversation.graph()
        steps = plan(graph, self._wanted["targets"])
        names = [name for step in steps for name in step.migrations]
        seen = self._examine(conversation, names)
        recovered = self._recover(conversation)
        due = [step.migrations for step in steps if step.migrations]
        applied = [] if self._check or not due else list(conversation.forward(due))
        return {
            "changed": bool(names or recovered),
            "deployment": self._wanted["deployment"] or self._wanted["release"],
            "plan": [asdict(step) for step in steps],
            "not_listed": [name for name in pending(graph) if name not in names],
            "irreversible": [name for name in names if not graph[name].reversible],
            "applied": [{name: message[name] for name in ("migration", "seconds")} for message in applied],
            "recovered": recovered,
            **seen,
            "diff": {"before": "", "after": "".join(f"{name}\n" for name in names)},
        }

    def _reverse(self, conversation: Conversation) -> dict[str, Any]:
        graph = conversation.graph()
        if conversation.vendor != "postgresql":
            raise InvalidInput(
                f"there is no ledger in a database of {conversation.vendor}",
                where="direction",
                expected="PostgreSQL",
                do="undo by hand, with manage.py migrate",
            )
        recovered = self._recover(conversation)
        needed = self._needed()
        deployment, rows = chosen(conversation.ledger(), self._wanted["deployment"], needed)
        names = reversal.check(rows, graph, self._wanted["release"], needed or ())
        seen = self._examine(conversation, names, back=True)
        undone = [] if self._check or not names else list(conversation.backward(rows))
        return {
            "changed": bool(names or recovered),
            "deployment": deployment,
            "plan": [{"target": name, "migrations": [name]} for name in names],
            "not_listed": [],
            "irreversible": [],
            "applied": [{name: message[name] for name in ("migration", "seconds")} for message in undone],
            "recovered": recovered,
            **seen,
            "diff": {"before": "".join(f"{name}\n" for name in names), "after": ""},
        }

    def _examine(self, conversation: Conversation, names: Sequence[str], *, back: bool = False) -> dict[str, Any]:
        """What the plan would do, with warnings; an error when that must not be."""
        unsafe = self._wanted["unsafe"]
        if conversation.vendor != "postgresql" or not names or (unsafe == "allow" and not self._check):
            return {"migrations": [], "tables": {}, "hazards": []}
        plan = hazards.planned(conversation.inspect(names, back=back))
        facts = conversation.facts(hazards.tables(plan))
        described = hazards.described(plan, facts)
        found = hazards.hazards(plan, facts, self._used() if hazards.uses(plan) else None)
        for warning in hazards.check(found, described, unsafe, self._wanted["longest"]):
            self._warn(warning)
        return {
            "migrations": described,
            "tables": {name: {key: fact[key] for key in ("rows", "bytes", "empty")} for name, fact in facts.items()},
            "hazards": [hazard.as_dict() for hazard in found],
        }

    def _used(self) -> dict[str, list[str]] | None:
        """The tables and columns of the release that serves; None when it is not known."""
        serving = Path(self._wanted["root"], self._wanted["app"], "releases", self._wanted["serving"] or "none")
        if not serving.is_dir():
            return None
        with self._ask_serving() as conversation:
            conversation.graph()
            return conversation.models()

    def _recover(self, conversation: Conversation) -> list[str]:
        if self._check or conversation.vendor != "postgresql":
            return []
        return conversation.recover(retry=self._wanted["unfinished"] == "retry")

    def _needed(self) -> list[str] | None:
        """The migrations that the release that serves knows; None when it is not known."""
        if not self._wanted["serving"]:
            return None
        with self._ask_serving() as conversation:
            return list(conversation.graph())

    def _ask_serving(self) -> AbstractContextManager[Conversation]:
        return converse(request_of({**self._wanted, "release": self._wanted["serving"]}, self._secrets), lock=False)


def act(module: AnsibleModule) -> dict[str, Any]:
    """Plan, then apply or undo what is due."""
    return Migrating(module).run()


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
