#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pg_index_verify
short_description: Prove that the indexes and foreign keys of a schema are there, valid and of use
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.postgres
description:
  - Holds what an application declares of its schema against the database and returns one row for each thing, with a
    verdict, why, and the fix as SQL.
  - Definitions are compared by PostgreSQL itself, on an empty temporary copy of the table, so that it does not matter
    how they are written. A query is planned with parameters and never executed; where the table is small, it is
    planned against a temporary stand-in with 10000 generated rows.
  - Nothing is changed, every transaction is rolled back, unless O(rebuild) asks for it. The role needs to read the
    tables and to make temporary ones.
  - Beside what is declared it finds indexes that are not valid, duplicates, and foreign keys without an index.
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the same; what O(rebuild) would rebuild is told and left alone.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: none
options:
  tables:
    description: Tables that must be there.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the table as the catalogue has it, without quotes.
        type: str
        required: true
      schema:
        description: Its schema.
        type: str
        default: public
      columns:
        description: Columns that it must have, with their types as SQL. An empty type stands for any.
        type: dict
        default: {}
  indexes:
    description: Indexes that must be there.
    type: list
    elements: dict
    default: []
    suboptions:
      table:
        description: Name of the table as the catalogue has it, without quotes.
        type: str
        required: true
      schema:
        description: Its schema.
        type: str
        default: public
      columns:
        description:
          - The keys in their order. Each is the exact name of a column, or SQL as CREATE INDEX takes it, such as
            C(lower(email\)), C(version DESC) or C(item_id varchar_pattern_ops).
        type: list
        elements: str
        required: true
      name:
        description: Name of the index. Left out, any name will do.
        type: str
        default: ""
      include:
        description: Columns that are only stored in it.
        type: list
        elements: str
        default: []
      unique:
        description: Whether it is unique.
        type: bool
        default: false
      nulls_distinct:
        description: Whether a unique index takes one empty value for another than the next.
        type: bool
        default: true
      predicate:
        description: The condition of a partial index, as SQL.
        type: str
        default: ""
      method:
        description: How it is built.
        type: str
        default: btree
      query:
        description:
          - The query that it is there for, one SELECT, INSERT, UPDATE, DELETE or MERGE with C($1), C($2) and so on for
            its parameters. Left out, no plan is looked at.
        type: str
        default: ""
  foreign_keys:
    description: Foreign keys that must be there.
    type: list
    elements: dict
    default: []
    suboptions:
      table:
        description: Name of the table as the catalogue has it, without quotes.
        type: str
        required: true
      schema:
        description: Its schema.
        type: str
        default: public
      columns:
        description: Its columns.
        type: list
        elements: str
        required: true
      references:
        description: The table that is referenced.
        type: str
        required: true
      references_schema:
        description: The schema of that table. The same one by default.
        type: str
        default: ""
      references_columns:
        description: The columns there, in the order of O(foreign_keys[].columns). Left out, they are not compared.
        type: list
        elements: str
        default: []
      name:
        description: Name of the constraint. Left out, any name will do.
        type: str
        default: ""
      on_delete:
        description: What happens when the referenced row is deleted. Left out, it is not compared.
        type: str
        choices: [no action, restrict, cascade, set null, set default]
      index:
        description: Whether an index must begin with its columns.
        type: bool
        default: true
  undeclared:
    description: What to look for beside what is declared.
    type: list
    elements: str
    choices: [invalid, duplicate, unindexed]
    default: [invalid, duplicate, unindexed]
  schemas:
    description: Schemas to look for O(undeclared) in. All of the database's own by default.
    type: list
    elements: str
    default: []
  fail_on:
    description: Verdicts on which the module fails. The rows are returned all the same.
    type: list
    elements: str
    choices:
      - missing
      - invalid
      - building
      - different
      - unusable
      - not_chosen
      - not_validated
      - unproven
      - unindexed
      - duplicate
      - unused
      - renamed
    default: [missing, invalid, building, different, unusable, not_chosen, not_validated, unproven]
  baseline:
    description:
      - Scans of indexes at an earlier time, as RV(scans) of an earlier run. Scans are counted from there, and an index
        in it that nothing has used since is V(unused).
      - Left out, they are counted from RV(statistics_since) on.
    type: dict
    default: {}
  rebuild:
    description: Rebuild indexes that are not valid by C(REINDEX INDEX CONCURRENTLY), then look again.
    type: bool
    default: false
  rebuild_also:
    description: With O(rebuild), valid indexes to rebuild too, as C(schema.index).
    type: list
    elements: str
    default: []
  rebuild_lock_timeout:
    description: Seconds that a rebuild waits for transactions that began before it.
    type: float
    default: 300
"""

EXAMPLES = r"""
- name: Prove the schema before any client meets it
  greenlight.deploy.pg_index_verify:
    url: "{{ greenlight_secrets.DATABASE_URL }}"
    tables:
      - name: sync_device_health
        columns: {device_id: varchar(128), score: smallint}
    indexes:
      - table: sync_device_health
        columns: [device_id, user_id, tenant_id]
        unique: true
        nulls_distinct: false
        query: SELECT * FROM sync_device_health WHERE device_id = $1 AND user_id = $2
    foreign_keys:
      - table: sync_device_health
        columns: [tenant_id]
        references: core_tenant

- name: Repair what a cancelled build left
  greenlight.deploy.pg_index_verify:
    url: "{{ greenlight_secrets.DATABASE_URL }}"
    rebuild: true
"""

RETURN = r"""
rows:
  description: One row for each thing, the worst first. Of what was not declared at most 1000.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: V(table), V(column), V(index) or V(foreign_key).
      type: str
      returned: always
    object:
      description: Its name.
      type: str
      returned: always
    table:
      description: The table that it belongs to.
      type: str
      returned: always
    verdict:
      description: V(ok), or a verdict as in O(fail_on).
      type: str
      returned: always
    why:
      description: Why, for people.
      type: str
      returned: always
    fix:
      description: SQL that puts it right, where SQL can.
      type: str
      returned: always
    declared:
      description: Whether it was declared.
      type: bool
      returned: always
    exists:
      description: Whether it is there. Null for what could not be asked, as in the next ones.
      type: bool
      returned: always
    valid:
      description: Whether an index or constraint is valid.
      type: bool
      returned: always
    ready:
      description: Whether writes reach the index.
      type: bool
      returned: always
    matches:
      description: Whether its definition is the declared one.
      type: bool
      returned: always
    chosen:
      description: Whether the planner takes the index for the declared query.
      type: bool
      returned: always
    usable:
      description: Whether it takes it when there is no other way.
      type: bool
      returned: always
    scans:
      description: How often a declared index was scanned.
      type: int
      returned: always
counts:
  description: How many rows have each verdict, also those that are not among RV(rows).
  returned: always
  type: dict
  sample: {unindexed: 2, ok: 14}
table:
  description: The rows for people, one a line.
  returned: always
  type: str
sentence:
  description: The same in one sentence.
  returned: always
  type: str
  sample: "the schema is as declared: 2 unindexed, 14 ok"
scans:
  description: Scans of the declared indexes, to be given as O(baseline) later.
  returned: always
  type: dict
  sample: {public.sync_device_health_once: 4127}
statistics_since:
  description: When the statistics of the database were reset (UTC), empty for never.
  returned: always
  type: str
  sample: "2026-11-22T12:00:00Z"
rebuilt:
  description: Indexes that were rebuilt, or would be in check mode.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.database import postgres, rows
from ansible_collections.greenlight.deploy.plugins.module_utils.database.declared import Declaration, declaration_of
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres_rebuild import due, rebuild
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres_verify import Verification, verify
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run

APPLICATION_NAME = "greenlight/pg_index_verify"
LONGEST_RESULT = 1000
UNDECLARED = ["invalid", "duplicate", "unindexed"]
VERDICTS = [verdict for verdict in rows.VERDICTS if verdict != "ok"]
FAIL_ON = VERDICTS[: VERDICTS.index("unproven") + 1]
TEXT: dict[str, Any] = {"type": "str", "default": ""}
TEXTS: dict[str, Any] = {"type": "list", "elements": "str", "default": []}
SOME_TEXTS: dict[str, Any] = {"type": "list", "elements": "str", "required": True}
NAME: dict[str, Any] = {"type": "str", "required": True}
SCHEMA: dict[str, Any] = {"type": "str", "default": "public"}
ARGUMENTS: dict[str, Any] = {
    **postgres.ARGUMENTS,
    "tables": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"name": NAME, "schema": SCHEMA, "columns": {"type": "dict", "default": {}}},
    },
    "indexes": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "table": NAME,
            "schema": SCHEMA,
            "columns": SOME_TEXTS,
            "name": TEXT,
            "include": TEXTS,
            "unique": {"type": "bool", "default": False},
            "nulls_distinct": {"type": "bool", "default": True},
            "predicate": TEXT,
            "method": {"type": "str", "default": "btree"},
            "query": TEXT,
        },
    },
    "foreign_keys": {
        "no_log": False,
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "table": NAME,
            "schema": SCHEMA,
            "columns": SOME_TEXTS,
            "references": NAME,
            "references_schema": TEXT,
            "references_columns": TEXTS,
            "name": TEXT,
            "on_delete": {"type": "str", "choices": ["no action", "restrict", "cascade", "set null", "set default"]},
            "index": {"type": "bool", "default": True},
        },
    },
    "undeclared": {"type": "list", "elements": "str", "choices": UNDECLARED, "default": UNDECLARED},
    "schemas": TEXTS,
    "fail_on": {"type": "list", "elements": "str", "choices": VERDICTS, "default": FAIL_ON},
    "baseline": {"type": "dict", "default": {}},
    "rebuild": {"type": "bool", "default": False},
    "rebuild_also": TEXTS,
    "rebuild_lock_timeout": {"type": "float", "default": 300.0},
}


def look(server: postgres.Server, declaration: Declaration, wanted: dict[str, Any]) -> Verification:
    """The truth table as it is now."""
    with server.connect(application_name=APPLICATION_NAME) as connection:
        return verify(
            connection,
            declaration,
            schemas=wanted["schemas"],
            undeclared=wanted["undeclared"],
            baseline={name: int(count) for name, count in wanted["baseline"].items()},
        )


def repair(server: postgres.Server, seen: Verification, wanted: dict[str, Any], *, check: bool) -> list[str]:
    """Rebuild what is due; in check mode only tell what that is."""
    indexes = due(seen.catalog, seen.building, wanted["rebuild_also"])
    if check:
        return [seen.catalog.label(index) for index in indexes]
    with server.connect(application_name=APPLICATION_NAME, autocommit=True) as connection:
        return rebuild(connection, seen.catalog, indexes, wanted["rebuild_lock_timeout"])


def listed(found: list[rows.Row]) -> list[dict[str, Any]]:
    """The rows for the result: all that are declared, and of the others as many as can be read."""
    declared = sum(row.declared for row in found)
    room = iter(range(LONGEST_RESULT))
    shown = found if len(found) - declared <= LONGEST_RESULT else [
        row for row in found if row.declared or next(room, None) is not None
    ]  # fmt: skip
    return [row.as_dict() for row in shown]


def act(module: AnsibleModule) -> dict[str, Any]:
    """Look, rebuild if that is asked for and look again, then judge."""
    wanted = module.params
    server, declaration = postgres.take_server(module), declaration_of(wanted)
    seen = look(server, declaration, wanted)
    rebuilt = repair(server, seen, wanted, check=module.check_mode) if wanted["rebuild"] else []
    if rebuilt and not module.check_mode:
        seen = look(server, declaration, wanted)
    found = list(seen.rows)
    result = {
        "changed": bool(rebuilt),
        "rows": listed(found),
        "counts": rows.counted(found),
        "table": rows.as_table(found),
        "sentence": rows.sentence(found, wanted["fail_on"]),
        "scans": dict(seen.scans),
        "statistics_since": seen.statistics_since,
        "rebuilt": rebuilt,
    }
    bad = rows.refused(found, wanted["fail_on"])
    if bad:
        module.fail_json(msg=f"{result['sentence']}\n{rows.as_table(bad)}", **result)
    return result


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
