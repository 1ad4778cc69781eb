# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PostgreSQL's catalogue knows of tables, indexes and sessions.

Every function is given ``query(sql, parameters)``, which returns rows, so that it runs on whatever connection there is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.statements import conflicting, quoted
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.waiting import Blocker

Query = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

_OURS = "n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'greenlight')"
_OBJECTS = f"""
SELECT 'table ' || n.nspname || '.' || c.relname || ' ' || c.relkind::text
       || CASE WHEN c.relkind IN ('v', 'm') THEN ' ' || pg_get_viewdef(c.oid) ELSE '' END AS object
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {_OURS}
UNION ALL
SELECT 'column ' || n.nspname || '.' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || a.attidentity::text || a.attgenerated::text
       || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f') AND {_OURS}
UNION ALL
SELECT 'index ' || pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisvalid AND c.relkind IN ('r', 'p', 'm') AND {_OURS}
UNION ALL
SELECT 'constraint ' || n.nspname || '.' || coalesce(c.relname, '') || '.' || k.conname || ' '
       || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace LEFT JOIN pg_class c ON c.oid = k.conrelid
WHERE {_OURS}
UNION ALL
SELECT 'trigger ' || pg_get_triggerdef(t.oid)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND {_OURS}
"""  # noqa: S608 - made of constants


def fingerprint(query: Query) -> str:
    """A hash of all tables, columns, valid indexes, constraints and triggers; it is the same in a restored copy."""
    sql = f"SELECT coalesce(md5(string_agg(object, chr(10) ORDER BY object COLLATE \"C\")), '') FROM ({_OBJECTS}) o"  # noqa: S608
    return str(query(sql, [])[0][0])


def objects(query: Query) -> list[str]:
    """What :func:`fingerprint` is made of, one line each."""
    return sorted(row[0] for row in query(_OBJECTS, []))


def facts(query: Query, tables: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of each table that exists: ``{rows, bytes, empty, columns: {name: type}}``; ``rows`` is an estimate."""
    sql = """
        SELECT t.name, greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid), pg_relation_size(c.oid) = 0,
               (SELECT json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))::text FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
        FROM unnest(%s::text[], %s::text[]) AS t(name, quoted) JOIN pg_class c ON c.oid = to_regclass(t.quoted)
    """
    return {
        name: {
            "rows": rows,
            "bytes": size,
            "empty": empty or _is_empty(query, name, rows),
            "columns": json.loads(kinds or "{}"),
        }
        for name, rows, size, empty, kinds in query(sql, [list(tables), [quoted(name) for name in tables]])
    }


def _is_empty(query: Query, table: str, rows: int) -> bool:
    return rows == 0 and not query(f"SELECT 1 FROM {quoted(table)} LIMIT 1", [])  # noqa: S608 - quoted


_SESSION = """
    a.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(a.state, ''),
    extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
    extract(epoch FROM clock_timestamp() - a.state_change)::float8, coalesce(a.query, '')
"""


def holders(query: Query, locks: Mapping[str, str], own: Sequence[int]) -> list[Blocker]:
    """Sessions other than ``own`` that hold locks on tables against the ones wanted, by ``{table: lock}``."""
    wanted = [(quoted(table), mode) for table, lock in locks.items() for mode in conflicting(lock)]
    sql = f"""
        SELECT {_SESSION}, string_agg(DISTINCT l.relation::regclass::text, ', ')
        FROM unnest(%s::text[], %s::text[]) AS w(name, mode)
        JOIN pg_locks l ON l.relation = to_regclass(w.name) AND l.mode = w.mode AND l.granted
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.pid <> ALL (%s::int[]) GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 5 DESC NULLS LAST
    """  # noqa: S608 - made of constants
    return [Blocker(*row) for row in query(sql, [*_columns(wanted), list(own)])]


def existing(query: Query, tables: Sequence[str]) -> list[str]:
    """Those of ``tables`` that everybody can see."""
    sql = "SELECT t.name FROM unnest(%s::text[], %s::text[]) AS t(name, quoted) WHERE to_regclass(t.quoted) IS NOT NULL"
    return [row[0] for row in query(sql, [list(tables), [quoted(name) for name in tables]])]


def transactions(query: Query, older_than: float, own: Sequence[int]) -> list[Blocker]:
    """Other sessions of this database that have been in a transaction for longer than some seconds."""
    sql = f"""
        SELECT {_SESSION} FROM pg_stat_activity a
        WHERE a.datname = current_database() AND a.backend_type = 'client backend' AND a.pid <> ALL (%s::int[])
          AND a.xact_start < clock_timestamp() - make_interval(secs => %s)
        ORDER BY a.xact_start
    """  # noqa: S608 - made of constants
    return [Blocker(*row) for row in query(sql, [list(own), older_than])]


def invalid_indexes(query: Query, *, plain: bool = False) -> list[str]:
    """Indexes that a failed concurrent build left behind, and that nobody is building now.

    As SQL writes them, or with ``plain`` only their names.
    """
    sql = """
        SELECT c.oid::regclass::text, c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE NOT (i.indisvalid AND i.indisready)
        AND c.oid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index) ORDER BY 1
    """
    return [row[1 if plain else 0] for row in query(sql, [])]


def table_of(query: Query, index: str) -> str:
    """The table of an index, with its schema; empty when there is no such index."""
    sql = """
        SELECT n.nspname || '.' || c.relname FROM pg_index i
        JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE i.indexrelid = to_regclass(%s)
    """
    return "".join(row[0] for row in query(sql, [quoted(index)]))


def _columns(rows: Sequence[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [row[0] for row in rows], [row[1] for row in rows]
