# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks PostgreSQL what an index would be and what the planner does with a query.

Everything happens in transactions that are rolled back, on temporary tables that hide the real ones. Queries are
planned while the transaction is read-only, and never executed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ansible_collections.greenlight.deploy.plugins.module_utils.database import explain, shadow
from ansible_collections.greenlight.deploy.plugins.module_utils.database.catalog import Catalog, Index, Table, adapted
from ansible_collections.greenlight.deploy.plugins.module_utils.database.declared import WantedIndex, WantedTable
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import Error
from ansible_collections.greenlight.deploy.plugins.module_utils.database.sql_text import in_clone, path, quoted
from ansible_collections.greenlight.deploy.plugins.module_utils.database.truth import LARGE, Match, Planned, Trouble

LOCK_TIMEOUT = "2s"
STATEMENT_TIMEOUT = "30s"
QUERY = "greenlight_query"
PROBE = "greenlight_probe"
_GENERIC_PLAN_SINCE = 160000
_REFUSED = ("42501", "25006", "55P03", "57014")
_LOST = ("08", "57P", "53")

SETTINGS = """
SELECT pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', pg_catalog.quote_ident(%(schema)s),
        nullif(pg_catalog.current_setting('search_path'), '')), true),
    pg_catalog.set_config('lock_timeout', %(lock_timeout)s, true),
    pg_catalog.set_config('statement_timeout', %(statement_timeout)s, true),
    pg_catalog.set_config('standard_conforming_strings', 'on', true),
    pg_catalog.set_config('plan_cache_mode', 'force_generic_plan', true)
"""
SIGNATURES = """
SELECT i.indexrelid::bigint, x.relname, k.conname, pg_catalog.pg_get_expr(i.indpred, i.indrelid, true),
    a.amname, i.indisunique, i.indisexclusion, <nulls_distinct>,
    ARRAY(SELECT pg_catalog.concat_ws(' ', pg_catalog.pg_get_indexdef(i.indexrelid, n, true), i.indoption[n - 1],
            i.indclass[n - 1], i.indcollation[n - 1])
        FROM pg_catalog.generate_series(1, i.indnkeyatts) n),
    ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, n, true)
        FROM pg_catalog.generate_series(i.indnkeyatts + 1, i.indnatts) n)
FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am a ON a.oid = x.relam
    LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
WHERE i.indrelid = %(table)s::regclass
"""
FIRST_KEY = "SELECT pg_catalog.pg_get_indexdef(%(index)s, 1, true)"
PARTS = """
SELECT c.relname, greatest(c.reltuples, 0)::float8 * p.isleaf::int
FROM pg_catalog.pg_partition_tree(%(relation)s) p JOIN pg_catalog.pg_class c ON c.oid = p.relid
"""
MAY = """
SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY'), pg_catalog.pg_is_in_recovery(),
    current_user::text, pg_catalog.current_database()::text
"""


class Signature(NamedTuple):
    """What makes an index what it is, apart from its name; ``shape`` is all of it but the predicate."""

    oid: int
    name: str
    constraint: str | None
    predicate: str | None
    shape: tuple[Any, ...]


def obstacle(connection: Any) -> Trouble | None:
    """Why no temporary table can be made here, None if one can."""
    with connection.cursor() as cursor:
        cursor.execute(MAY)
        may, standby, role, database = cursor.fetchone()
    connection.rollback()
    if standby:
        return Trouble("this server is a standby, where no temporary table can be made to compare with", refused=True)
    if not may:
        return Trouble(
            f"role {role} may not make temporary tables, which indexes and types are compared by",
            refused=True,
            fix=f"GRANT TEMPORARY ON DATABASE {path(database)} TO {path(role)};",
        )
    return None


@contextmanager
def rolled_back(connection: Any, schema: str) -> Iterator[Any]:
    """A cursor in a transaction that leaves nothing behind, with ``schema`` first in its search path."""
    values = {"schema": schema, "lock_timeout": LOCK_TIMEOUT, "statement_timeout": STATEMENT_TIMEOUT}
    with connection.cursor() as cursor:
        try:
            cursor.execute(SETTINGS, values)
            yield cursor
        finally:
            connection.rollback()


@contextmanager
def undone(cursor: Any) -> Iterator[None]:
    """A part of a transaction that is rolled back at its end, however it ends."""
    cursor.execute("SAVEPOINT greenlight_undone")
    try:
        yield
    finally:
        cursor.execute("ROLLBACK TO SAVEPOINT greenlight_undone")
        cursor.execute("RELEASE SAVEPOINT greenlight_undone")


def trouble_of(error: Exception) -> Trouble:
    """What PostgreSQL refused, in its words; raises ``error`` again when it is the server that failed."""
    sqlstate = getattr(error, "pgcode", None) or ""
    if not sqlstate or sqlstate.startswith(_LOST):
        raise error
    diagnosis = getattr(error, "diag", None)
    return Trouble(getattr(diagnosis, "message_primary", None) or str(error), refused=sqlstate in _REFUSED)


def compare(connection: Any, table: Table, columns: Sequence[str], wanted: Sequence[WantedIndex]) -> list[Match]:
    """For each of ``wanted``, which of the table's indexes are the same to PostgreSQL however it was written."""
    with rolled_back(connection, table.schema) as cursor:
        try:
            real = [index for index in signatures(cursor, path(table.schema, table.name)) if not index.shape[2]]
            cursor.execute(shadow.clone(table.schema, table.name, indexes=False))
        except Error as error:
            return [Match(trouble=trouble_of(error))] * len(wanted)
        return [_matching(cursor, real, each, columns) for each in wanted]


def _matching(cursor: Any, real: Sequence[Signature], wanted: WantedIndex, columns: Sequence[str]) -> Match:
    try:
        with undone(cursor):
            cursor.execute(shadow.wanted_index(wanted, columns))
            (mine,) = signatures(cursor, f"pg_temp.{quoted(wanted.table)}")
        return Match(frozenset(index.oid for index in real if _same(cursor, wanted.table, mine, index)))
    except Error as error:
        return Match(trouble=trouble_of(error))


def _same(cursor: Any, table: str, mine: Signature, index: Signature) -> bool:
    if mine.shape != index.shape:
        return False
    if mine.predicate is None or index.predicate is None or mine.predicate == index.predicate:
        return mine.predicate == index.predicate
    return _implies(cursor, table, mine.predicate, index.predicate) and _implies(
        cursor, table, index.predicate, mine.predicate
    )


def _implies(cursor: Any, table: str, first: str, second: str) -> bool:
    """Whether the planner can prove that every row of ``first`` is one of ``second``."""
    with undone(cursor):
        cursor.execute(shadow.probe(table, second, PROBE))
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {shadow.asks(table, first)}")
        plan = cursor.fetchone()[0][0]["Plan"]
    return any(node.get("Index Name") == PROBE for node in explain.nodes(plan))


def signatures(cursor: Any, table: str) -> list[Signature]:
    """The signatures of a table's indexes; ``table`` as SQL."""
    cursor.execute(adapted(SIGNATURES, cursor.connection.server_version), {"table": table})
    return [
        Signature(oid, name, constraint, predicate, (method, unique, exclusion, nulls_distinct, *map(tuple, lists)))
        for oid, name, constraint, predicate, method, unique, exclusion, nulls_distinct, *lists in cursor.fetchall()
    ]


def declared_types(connection: Any, wanted: WantedTable) -> dict[str, str | Trouble]:
    """The declared types as PostgreSQL writes them, by column; columns without a declared type are left out."""
    found: dict[str, str | Trouble] = {}
    with rolled_back(connection, wanted.schema) as cursor:
        for name, kind in wanted.columns.items():
            if kind:
                found[name] = _type(cursor, kind)
    return found


def _type(cursor: Any, kind: str) -> str | Trouble:
    try:
        with undone(cursor):
            cursor.execute(f"CREATE TEMPORARY TABLE greenlight_type (declared {kind}) ON COMMIT DROP")
            cursor.execute(
                "SELECT pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute "
                "WHERE attrelid = 'pg_temp.greenlight_type'::regclass AND attnum = 1"
            )
            return str(cursor.fetchone()[0])
    except Error as error:
        return trouble_of(error)


def plan_of(cursor: Any, statement: str) -> explain.Plan:
    """The generic plan of a query, which is not executed.

    A server that cannot explain it without values is given NULL for each, and must not leave out the partitions in
    which no NULL can be.
    """
    if cursor.connection.server_version >= _GENERIC_PLAN_SINCE:
        with _read_only(cursor):
            cursor.execute(f"EXPLAIN (FORMAT JSON, GENERIC_PLAN) {statement}")
            return _first_plan(cursor)
    prepared = False
    try:
        with _read_only(cursor):
            cursor.execute("SET LOCAL enable_partition_pruning = off")
            cursor.execute(f"PREPARE {QUERY} AS {statement}")
            prepared = True
            cursor.execute(
                "SELECT pg_catalog.cardinality(parameter_types) FROM pg_catalog.pg_prepared_statements WHERE name = %s",
                [QUERY],
            )
            nulls = ", ".join(["NULL"] * cursor.fetchone()[0])
            cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE {QUERY}{f' ({nulls})' if nulls else ''}")
            return _first_plan(cursor)
    finally:
        if prepared:
            cursor.execute(f"DEALLOCATE {QUERY}")


@contextmanager
def _read_only(cursor: Any) -> Iterator[None]:
    with undone(cursor):
        cursor.execute("SET LOCAL transaction_read_only = on")
        yield


def _first_plan(cursor: Any) -> explain.Plan:
    plan: explain.Plan = cursor.fetchone()[0][0]["Plan"]
    return plan


def try_query(connection: Any, catalog: Catalog, wanted: WantedIndex, subject: Index) -> Planned:
    """What the planner does with the declared query and the index that was found for it."""
    table = catalog.tables[subject.table]
    with rolled_back(connection, wanted.schema) as cursor:
        real = _goal(cursor, subject)
        tables, rows = _parts(cursor, table)
        large = rows >= LARGE
        seen = _plan_or_trouble(cursor, wanted.query) if large else Trouble("", refused=True)
        if isinstance(seen, Trouble):
            large = False
        elif explain.chosen(seen, real):
            return Planned(large=True, chosen=True, reads=explain.reads(seen, tables))
        by_itself = _on_stand_in(cursor, wanted, table, subject)
    if large and not isinstance(seen, Trouble) and not by_itself.trouble:
        return Planned(
            large=True,
            usable=by_itself.chosen or by_itself.usable,
            served=explain.served(seen, tables),
            reads=explain.reads(seen, tables),
        )
    return by_itself


def _plan_or_trouble(cursor: Any, statement: str) -> explain.Plan | Trouble:
    try:
        return plan_of(cursor, statement)
    except Error as error:
        return trouble_of(error)


def _goal(cursor: Any, subject: Index) -> explain.Goal:
    cursor.execute(PARTS, {"relation": subject.oid})
    names = {subject.name, *(name for name, _rows in cursor.fetchall())}
    cursor.execute(FIRST_KEY, {"index": subject.oid})
    return explain.Goal(names, _first_key(subject, cursor.fetchone()[0]), subject.predicate is not None)


def _first_key(subject: Index, definition: str) -> str:
    """A B-tree is only worth something from its first key on; the other methods find by any."""
    return definition if subject.method == "btree" else ""


def _parts(cursor: Any, table: Table) -> tuple[set[str], float]:
    """The names under which the table's rows are read, and how many there are about."""
    cursor.execute(PARTS, {"relation": table.oid})
    parts = cursor.fetchall()
    return {table.name, *(name for name, _rows in parts)}, max(table.rows, sum(rows for _name, rows in parts))


def _on_stand_in(cursor: Any, wanted: WantedIndex, table: Table, subject: Index) -> Planned:
    """What the planner does when the table has generated rows, by itself and when it has no other way."""
    clone = f"pg_temp.{quoted(table.name)}"
    statement = in_clone(wanted.query, table.schema, table.name)
    try:
        mine = next(each for each in signatures(cursor, str(table.label)) if each.oid == subject.oid)
        cursor.execute(shadow.clone(table.schema, table.name, indexes=True))
        _fill(cursor, wanted, table)
        there = signatures(cursor, clone)
        alike = {each.name for each in there if (each.shape, each.predicate) == (mine.shape, mine.predicate)}
        cursor.execute(FIRST_KEY, {"index": subject.oid})
        goal = explain.Goal(alike, _first_key(subject, cursor.fetchone()[0]), subject.predicate is not None)
        plan = plan_of(cursor, statement)
    except Error as error:
        return Planned(large=False, trouble=trouble_of(error))
    if explain.chosen(plan, goal):
        return Planned(large=False, chosen=True, reads=explain.reads(plan, {table.name}))
    others = [each for each in there if each.name not in alike]
    return Planned(
        large=False,
        usable=_forced(cursor, statement, goal, ()) or _forced(cursor, statement, goal, _drops(table, others)),
        served=explain.served(plan, {table.name}),
        reads=explain.reads(plan, {table.name}),
    )


def _drops(table: Table, others: Sequence[Signature]) -> list[str]:
    """What takes the other indexes of the stand-in away."""
    return [
        f"ALTER TABLE pg_temp.{quoted(table.name)} DROP CONSTRAINT {quoted(each.constraint)}"
        if each.constraint
        else f"DROP INDEX pg_temp.{quoted(each.name)}"
        for each in others
    ]


def _forced(cursor: Any, statement: str, goal: explain.Goal, drops: Sequence[str]) -> bool:
    """Whether the planner takes the index when reading the whole table costs too much, and the ``drops`` are done.

    A query that cannot be planned without the other indexes (it names one to collide with) does not need this one.
    """
    try:
        with undone(cursor):
            for name in shadow.FORCED:
                cursor.execute(f"SET LOCAL {name} = off")
            for drop in drops:
                cursor.execute(drop)
            return explain.sought(plan_of(cursor, statement), goal)
    except Error as error:
        trouble_of(error)
        return False


def _fill(cursor: Any, wanted: WantedIndex, table: Table) -> None:
    """Give the stand-in rows; where its values are refused, rows in which only the keys of the index have any."""
    cursor.execute(shadow.COLUMNS, {"table": table.oid})
    columns = [shadow.ShadowColumn(*row) for row in cursor.fetchall()]
    keys = [key for key in wanted.keys if any(column.name == key for column in columns)]
    cursor.execute("SAVEPOINT greenlight_rows")
    try:
        _insert(cursor, table, columns, keys, {column.name for column in columns})
    except Error as error:
        trouble_of(error)
        cursor.execute("ROLLBACK TO SAVEPOINT greenlight_rows")
        _insert(cursor, table, columns, keys, set(keys))
    cursor.execute(f"ANALYZE pg_temp.{quoted(table.name)}")


def _insert(
    cursor: Any, table: Table, columns: Sequence[shadow.ShadowColumn], keys: Sequence[str], filled: Collection[str]
) -> None:
    made = [column for column in columns if column.name in filled and shadow.value(column, "g")]
    empty = [column.name for column in columns if column not in made]
    if empty:
        _let_be_empty(cursor, table, empty)
    cursor.execute(shadow.rows(table.name, made, keys))


def _let_be_empty(cursor: Any, table: Table, names: Sequence[str]) -> None:
    """Take NOT NULL off, and the primary key with it where it holds one of the columns."""
    cursor.execute(shadow.PRIMARY_KEY, {"table": f"pg_temp.{quoted(table.name)}", "names": list(names)})
    for (constraint,) in cursor.fetchall():
        cursor.execute(f"ALTER TABLE pg_temp.{quoted(table.name)} DROP CONSTRAINT {quoted(constraint)}")
    cursor.execute(shadow.may_be_empty(table.name, names))
