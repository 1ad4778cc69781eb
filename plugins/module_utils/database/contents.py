# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a database holds and what belongs to it, asked of its catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import Surroundings
from ansible_collections.greenlight.deploy.plugins.module_utils.database.names import identifier

# What pg_dump takes the rows of: tables and partitions; of an extension's tables those that it declares as data.
TABLES = """
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
      AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND NOT c.oid = ANY (coalesce(e.extconfig, '{}')))
ORDER BY 1, 2
"""
# to_jsonb reads columns that not every version has: daticulocale is of 15 and 16, datlocale of 17 and newer.
SURROUNDINGS = """
SELECT r.rolname AS owner, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
  d.datcollate AS collate, d.datctype AS ctype,
  (SELECT spcname FROM pg_catalog.pg_tablespace t WHERE t.oid = d.dattablespace) AS tablespace,
  coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') AS provider,
  coalesce(to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> 'datlocale', '') AS locale,
  d.datconnlimit AS connection_limit, coalesce(pg_catalog.shobj_description(d.oid, 'pg_database'), '') AS comment,
  CASE WHEN d.datacl IS NOT NULL THEN (
    SELECT coalesce(jsonb_agg(jsonb_build_object('grantee', coalesce(g.rolname, ''), 'privilege', a.privilege_type,
      'grantable', a.is_grantable) ORDER BY g.rolname, a.privilege_type), '[]')
    FROM pg_catalog.aclexplode(d.datacl) a LEFT JOIN pg_catalog.pg_roles g ON g.oid = a.grantee) END AS acl,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('role', coalesce(r.rolname, ''), 'name', split_part(entry, '=', 1),
      'value', substr(entry, strpos(entry, '=') + 1)) ORDER BY r.rolname, entry), '[]')
    FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole,
      unnest(s.setconfig) entry WHERE s.setdatabase = d.oid) AS settings
FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r ON r.oid = d.datdba WHERE d.datname = %s
"""


def rows(connection: Any) -> dict[str, int]:
    """The rows of each table by its quoted name, in the transaction of ``connection``."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL row_security = off; SET LOCAL statement_timeout = 0")
        cursor.execute(TABLES)
        names = [identifier(*found) for found in cursor.fetchall()]
        counted = {}
        for name in names:
            cursor.execute(f"SELECT count(*) FROM ONLY {name}")  # noqa: S608 - quoted by identifier()
            counted[name] = int(cursor.fetchone()[0])
    return counted


def large_objects(connection: Any) -> int:
    """How many large objects there are."""
    return int(value(connection, "SELECT count(*) FROM pg_catalog.pg_largeobject_metadata"))


def extensions(connection: Any) -> dict[str, str]:
    """The version of each extension by name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extname, extversion FROM pg_catalog.pg_extension ORDER BY 1")
        return dict(cursor.fetchall())


def surroundings(connection: Any, database: str) -> Surroundings | None:
    """What belongs to ``database`` and is not in its dump; None when there is no such database."""
    with connection.cursor() as cursor:
        cursor.execute(SURROUNDINGS, (database,))
        found = cursor.fetchone()
        names = [column.name for column in cursor.description]
    return Surroundings(**dict(zip(names, found, strict=True))) if found else None


def value(connection: Any, statement: str, parameters: Sequence[Any] = ()) -> Any:
    """The first column of the first row of ``statement``, None when it has no row."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        row = cursor.fetchone()
    return row[0] if row else None
