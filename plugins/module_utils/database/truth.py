# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict on each thing that is declared, from what was found out about it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.greenlight.deploy.plugins.module_utils.database import fixes
from ansible_collections.greenlight.deploy.plugins.module_utils.database.catalog import (
    DELETE_ACTIONS,
    Catalog,
    ForeignKey,
    Index,
    Table,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.declared import (
    WantedForeignKey,
    WantedIndex,
    WantedTable,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.rows import Row
from ansible_collections.greenlight.deploy.plugins.module_utils.database.sql_text import listed, path, readable
from ansible_collections.greenlight.deploy.plugins.module_utils.database.survey import (
    supported,
    why_invalid,
    why_unindexed,
)

LARGE = 10_000
"""Rows from which on the plan for the table itself means something; below it a stand-in is asked."""


@dataclass(frozen=True)
class Trouble:
    """Why something could not be found out; ``refused``: for a reason that is none of the declaration's."""

    text: str
    refused: bool = False
    fix: str = ""


@dataclass(frozen=True)
class Match:
    """Which indexes of the table are, to PostgreSQL, the declared one, or why that could not be found out."""

    indexes: frozenset[int] = frozenset()
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Planned:
    """What the planner does with the declared query.

    ``chosen``: it takes the index by itself, of the table if that is ``large``, else of a stand-in with generated
    rows. ``usable``: it takes it when nothing else is left. ``reads`` says how it comes to the rows; ``served`` that
    it does so by some index.
    """

    large: bool
    chosen: bool = False
    usable: bool = False
    served: bool = False
    reads: str = ""
    trouble: Trouble | None = None


@dataclass(frozen=True)
class Found:
    """All that was found out about a declared index; ``scans`` since the baseline where there is one."""

    match: Match
    planned: Planned | None = None
    building: Mapping[int, str] = field(default_factory=dict)
    scans: int | None = None
    since_baseline: bool = False


def subject_of(catalog: Catalog, wanted: WantedIndex, match: Match) -> Index | None:
    """The index that is the declared one: under its name if it has one, else one that the planner uses."""
    named = catalog.index_named(wanted.schema, wanted.name) if wanted.name else None
    if named and named.oid in match.indexes:
        return named
    table = catalog.table(wanted.schema, wanted.table)
    alike = [index for index in catalog.indexes_of(table.oid) if index.oid in match.indexes] if table else []
    return next((index for index in alike if index.usable), alike[0] if alike else None)


def index_row(catalog: Catalog, wanted: WantedIndex, found: Found) -> Row:
    """The verdict on a declared index."""
    row = Row("index", wanted.label, path(wanted.schema, wanted.table), "ok", exists=False)
    table = catalog.table(wanted.schema, wanted.table)
    if table is None:
        return replace(row, verdict="missing", why=f"there is no table {row.table}")
    subject = subject_of(catalog, wanted, found.match)
    named = catalog.index_named(wanted.schema, wanted.name) if wanted.name else None
    if found.match.trouble:
        return _not_compared(row, named, found.match.trouble)
    columns = [column.name for column in catalog.columns_of(table.oid)]
    if named and (subject is None or subject.oid != named.oid):
        return _different(catalog, row, wanted, table, named, subject)
    if subject is None:
        why = _near(catalog, wanted, table) or f"no index of {table.label} has this definition"
        return replace(row, verdict="missing", why=why, fix=fixes.create_index(wanted, table, columns))
    row = replace(
        row,
        object=catalog.label(subject),
        exists=True,
        valid=subject.valid,
        ready=subject.ready,
        matches=True,
        scans=found.scans,
    )
    if not subject.usable:
        return _not_valid(catalog, row, subject, found.building)
    return _in_use(row, wanted, found)


def _not_compared(row: Row, named: Index | None, trouble: Trouble) -> Row:
    if not trouble.refused:
        return replace(row, verdict="missing", why=f"it cannot exist: {trouble.text}")
    return replace(
        row,
        verdict="unproven",
        why=trouble.text,
        fix=trouble.fix,
        exists=True if named else None,
        valid=named.valid if named else None,
        ready=named.ready if named else None,
    )


def _different(catalog: Catalog, row: Row, wanted: WantedIndex, table: Table, named: Index, other: Index | None) -> Row:
    columns = [column.name for column in catalog.columns_of(table.oid)]
    why = f"it is on {_on(catalog, named)}"
    if other:
        why += f"; the declared one is there as {catalog.label(other)}"
    return replace(
        row,
        verdict="different",
        why=why,
        fix=fixes.replace_index(wanted, table, columns, catalog.label(named)),
        exists=True,
        valid=named.valid,
        ready=named.ready,
        matches=False,
    )


def _on(catalog: Catalog, index: Index) -> str:
    """What an index is on, for people."""
    names = catalog.names(index.table, (number for number in index.keys if number))
    keys = [listed(names), *([index.expressions] if index.expressions else [])]
    kind = "" if index.method == "btree" else f" using {index.method}"
    return "".join(
        [
            f"{catalog.tables[index.table].label}{kind} ({', '.join(filter(None, keys))})",
            ", unique" if index.unique else "",
            f" where {index.predicate}" if index.predicate else "",
        ]
    )


def _near(catalog: Catalog, wanted: WantedIndex, table: Table) -> str:
    """The index that was perhaps meant: one on the same columns."""
    for index in catalog.indexes_of(table.oid):
        if set(catalog.names(table.oid, index.keys)) == set(wanted.keys):
            return f"nearest is {catalog.label(index)} on {_on(catalog, index)}"
    return ""


def _not_valid(catalog: Catalog, row: Row, subject: Index, building: Mapping[int, str]) -> Row:
    if subject.oid in building:
        return replace(row, verdict="building", why=building[subject.oid])
    return replace(row, verdict="invalid", why=why_invalid(subject), fix=fixes.revive_index(catalog, subject))


def _in_use(row: Row, wanted: WantedIndex, found: Found) -> Row:
    """The verdict on an index that is there and valid."""
    planned = found.planned
    if planned:
        verdict, why = _of_plan(planned)
        row = replace(row, verdict=verdict, why=why)
        if not planned.trouble:
            row = replace(row, chosen=planned.chosen, usable=planned.chosen or planned.usable)
    if row.verdict == "ok" and found.since_baseline and found.scans == 0:
        return replace(row, verdict="unused", why="no scan since the baseline")
    declared = path(wanted.schema, wanted.name)
    if row.verdict == "ok" and wanted.name and row.object != declared:
        return replace(
            row, verdict="renamed", why=f"declared as {declared}", fix=fixes.rename_index(row.object, wanted.name)
        )
    return row


def _of_plan(planned: Planned) -> tuple[str, str]:
    where = "" if planned.large else " for a stand-in with generated rows"
    if planned.trouble:
        return "unproven", planned.trouble.text
    if planned.chosen:
        return "ok", f"chosen{where}"
    if not planned.usable:
        return "unusable", f"even when nothing else is left, the query does not use it{_instead(planned)}"
    if planned.large and not planned.served:
        return "not_chosen", f"the query can use it, but the planner prefers {planned.reads}"
    return "ok", f"usable{_instead(planned)}"


def _instead(planned: Planned) -> str:
    return f"; by itself the planner prefers {planned.reads}" if planned.reads else ""


def foreign_key_row(catalog: Catalog, wanted: WantedForeignKey) -> tuple[Row, ForeignKey | None]:
    """The verdict on a declared foreign key, and the one that it is about."""
    row = Row("foreign_key", wanted.label, path(wanted.schema, wanted.table), "ok", exists=False)
    table = catalog.table(wanted.schema, wanted.table)
    if table is None:
        return replace(row, verdict="missing", why=f"there is no table {row.table}"), None
    there = {column.name for column in catalog.columns_of(table.oid)}
    lost = [name for name in wanted.columns if name not in there]
    if lost:
        return replace(row, verdict="missing", why=f"{table.label} has no column {listed(lost)}"), None
    on_columns = [key for key in catalog.foreign_keys if key.table == table.oid and _same_columns(catalog, key, wanted)]
    if not on_columns:
        return replace(row, verdict="missing", why="no such constraint", fix=fixes.create_foreign_key(wanted)), None
    problems = {key.oid: tuple(_differences(catalog, key, wanted)) for key in on_columns}
    best = min(on_columns, key=lambda key: (len(problems[key.oid]), key.name != wanted.name))
    row = replace(row, exists=True, valid=best.validated, matches=not problems[best.oid])
    if problems[best.oid]:
        fix = f"{_drop_constraint(table, best)} {fixes.create_foreign_key(wanted)}"
        return replace(row, verdict="different", why="; ".join(problems[best.oid]), fix=fix), best
    return _sound(catalog, row, wanted, table, best), best


def _same_columns(catalog: Catalog, key: ForeignKey, wanted: WantedForeignKey) -> bool:
    """Whether a foreign key is on the declared columns; their order only says which references which."""
    return set(catalog.names(key.table, key.columns)) == set(wanted.columns)


def _differences(catalog: Catalog, key: ForeignKey, wanted: WantedForeignKey) -> Iterator[str]:
    parent = catalog.tables.get(key.references)
    if parent is None or (parent.schema, parent.name) != (wanted.references_schema, wanted.references):
        yield f"it references {parent.label if parent else 'a table of another schema'}"
        return
    pairs = dict(
        zip(
            catalog.names(key.table, key.columns),
            catalog.names(key.references, key.references_columns),
            strict=True,
        )
    )
    declared = dict(zip(wanted.columns, wanted.references_columns, strict=False))
    for name, referenced in declared.items():
        if pairs[name] != referenced:
            yield f"{readable(name)} references {readable(pairs[name])}"
    action = DELETE_ACTIONS[key.on_delete]
    if wanted.on_delete and wanted.on_delete != action:
        yield f"on delete it does {action}"


def _drop_constraint(table: Table, key: ForeignKey) -> str:
    return f"ALTER TABLE {table.label} DROP CONSTRAINT {readable(key.name)};"


def _sound(catalog: Catalog, row: Row, wanted: WantedForeignKey, table: Table, key: ForeignKey) -> Row:
    """The verdict on a foreign key that is there as declared."""
    if not key.validated:
        fix = fixes.validate_foreign_key(table.label, key.name)
        return replace(row, verdict="not_validated", why="older rows were never checked", fix=fix)
    indexed = supported(catalog, key)
    if wanted.index and not indexed:
        names = catalog.names(table.oid, key.columns)
        fix = fixes.support_foreign_key(table, names)
        return replace(row, verdict="unindexed", why=why_unindexed(catalog, key), fix=fix)
    if wanted.name and wanted.name != key.name:
        fix = f"ALTER TABLE {table.label} RENAME CONSTRAINT {readable(key.name)} TO {readable(wanted.name)};"
        return replace(row, verdict="renamed", why=f"it is called {readable(key.name)}", fix=fix)
    return row if indexed else replace(row, why="without an index, as declared")


def table_rows(catalog: Catalog, wanted: WantedTable, types: Mapping[str, str | Trouble]) -> Sequence[Row]:
    """The verdict on a declared table, one row, and one more for each column that is not as declared.

    ``types`` are the declared types as PostgreSQL writes them, or why it does not know one.
    """
    label = path(wanted.schema, wanted.name)
    row = Row("table", label, label, "ok", exists=True)
    table = catalog.table(wanted.schema, wanted.name)
    if table is None:
        return [replace(row, verdict="missing", why="there is no such table", exists=False)]
    there = {column.name: column.type for column in catalog.columns_of(table.oid)}
    wrong = [
        problem
        for name in wanted.columns
        for problem in _column(Row("column", f"{label}.{readable(name)}", label, "ok"), table, name, there, types)
    ]
    return wrong or [replace(row, matches=True, why=f"{len(wanted.columns)} columns" if wanted.columns else "")]


def _column(
    row: Row, table: Table, name: str, there: Mapping[str, str], types: Mapping[str, str | Trouble]
) -> Iterator[Row]:
    kind = types.get(name, "")
    if isinstance(kind, Trouble):
        verdict = "unproven" if kind.refused else "different"
        yield replace(row, verdict=verdict, why=kind.text, fix=kind.fix, exists=name in there)
    elif name not in there:
        fix = fixes.add_column(table, name, kind) if kind else ""
        yield replace(row, verdict="missing", why="there is no such column", fix=fix, exists=False)
    elif kind and kind != there[name]:
        why = f"it is {there[name]}, declared is {kind}"
        fix = fixes.change_column(table, name, kind)
        yield replace(row, verdict="different", why=why, fix=fix, exists=True, matches=False)
