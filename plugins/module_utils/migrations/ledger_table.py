# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger in PostgreSQL: ``greenlight.migration_ledger`` in the application's own database.

It is written with the rights of the application's role, on a connection that commits each statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.catalogue import Query
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger import FIELDS, Entry, entries_of

SCHEMA, TABLE = "greenlight", "greenlight.migration_ledger"
_CREATE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    app text NOT NULL, deployment text NOT NULL, release text NOT NULL, version text NOT NULL,
    framework text NOT NULL, migration text NOT NULL, reversible boolean NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(), applied_at timestamptz, reversed_at timestamptz,
    seconds double precision, schema_before text NOT NULL, schema_after text,
    role text NOT NULL DEFAULT session_user, recovered boolean NOT NULL DEFAULT false
)
"""
_COMMENT = f"COMMENT ON TABLE {TABLE} IS 'What each deployment applied; written by greenlight.deploy'"
_TIMES = {"begun_at", "applied_at", "reversed_at"}


@dataclass(frozen=True)
class Owner:
    """Whose rows they are: an application's, and those that are written now a deployment's and a release's."""

    app: str
    deployment: str
    release: str
    version: str
    framework: str = "django"


class LedgerTable:
    """Reads and writes the rows of one application."""

    def __init__(self, query: Query, owner: Owner) -> None:
        self._query = query
        self._owner = owner

    def exists(self) -> bool:
        """Whether there is one; nothing is ever made to find out."""
        return bool(self._query("SELECT to_regclass(%s) IS NOT NULL", [TABLE])[0][0])

    def ensure(self) -> None:
        """Make it where it is missing; :class:`InvalidInput` when the role may not."""
        if self.exists():
            return
        role, database, schema, may = self._query(
            "SELECT current_user, current_database(), to_regnamespace(%s) IS NOT NULL, "
            "CASE WHEN to_regnamespace(%s) IS NULL THEN has_database_privilege(current_database(), 'CREATE') "
            "ELSE has_schema_privilege(%s, 'CREATE') END",
            [SCHEMA, SCHEMA, SCHEMA],
        )[0]
        if not may:
            raise InvalidInput(
                f"role {role} may not create {TABLE if schema else f'schema {SCHEMA}'}",
                where=f"database {database}",
                expected="a place for the ledger of migrations, without which nothing is applied",
                do=f'once, as an administrator: GRANT USAGE, CREATE ON SCHEMA {SCHEMA} TO "{role}"'
                if schema
                else f'once, as an administrator: CREATE SCHEMA {SCHEMA} AUTHORIZATION "{role}"',
            )
        for sql in ([] if schema else [f"CREATE SCHEMA {SCHEMA}"]) + [_CREATE, _COMMENT]:
            self._query(sql, [])

    def entries(self) -> list[Entry]:
        """Every row of the application, oldest first; none where there is no ledger."""
        if not self.exists():
            return []
        columns = ", ".join(_column(name) for name in FIELDS)
        sql = f"SELECT {columns} FROM {TABLE} WHERE app = %s AND framework = %s ORDER BY id"  # noqa: S608 - constants
        rows = self._query(sql, [self._owner.app, self._owner.framework])
        return entries_of([dict(zip(FIELDS, row, strict=True)) for row in rows])

    def begin(self, migration: str, *, reversible: bool, schema: str) -> int:
        """Write that a migration begins, and return the row's id."""
        owner = self._owner
        names = "app, deployment, release, version, framework, migration, reversible, schema_before"
        sql = f"INSERT INTO {TABLE} ({names}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id"  # noqa: S608
        values = [owner.app, owner.deployment, owner.release, owner.version, owner.framework]
        return int(self._query(sql, [*values, migration, reversible, schema])[0][0])

    def applied(self, row: int, *, seconds: float | None, schema: str, recovered: bool = False) -> None:
        """Write that it is applied."""
        changes = "applied_at = clock_timestamp(), seconds = %s, schema_after = %s, recovered = %s"
        self._set(row, changes, seconds, schema, recovered)

    def undone(self, row: int, *, recovered: bool = False) -> None:
        """Write that it was undone."""
        self._set(row, "reversed_at = clock_timestamp(), recovered = recovered OR %s", recovered)

    def forget(self, row: int) -> None:
        """Take away a row of a migration that did nothing."""
        self._query(f"DELETE FROM {TABLE} WHERE id = %s AND applied_at IS NULL", [row])  # noqa: S608 - constants

    def _set(self, row: int, changes: str, *values: Any) -> None:
        self._query(f"UPDATE {TABLE} SET {changes} WHERE id = %s", [*values, row])  # noqa: S608 - constants


def _column(name: str) -> str:
    if name in _TIMES:
        return f"""coalesce(to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')"""
    return {"seconds": "coalesce(seconds, 0)", "schema_after": "coalesce(schema_after, '')"}.get(name, name)
