# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds a declaration against a database: finds out what is true and has it judged."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.database import postgres_catalog as reader
from ansible_collections.greenlight.deploy.plugins.module_utils.database import postgres_plans as planner
from ansible_collections.greenlight.deploy.plugins.module_utils.database import survey, truth
from ansible_collections.greenlight.deploy.plugins.module_utils.database.catalog import Catalog, Index
from ansible_collections.greenlight.deploy.plugins.module_utils.database.declared import (
    Declaration,
    WantedIndex,
    WantedTable,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.rows import Row, sorted_rows
from ansible_collections.greenlight.deploy.plugins.module_utils.database.truth import Found, Match, Trouble


@dataclass(frozen=True)
class Verification:
    """The truth table, the worst first; ``scans`` of the declared indexes by name since ``statistics_since``."""

    rows: Sequence[Row]
    catalog: Catalog
    building: Mapping[int, str]
    scans: Mapping[str, int]
    statistics_since: str


def verify(
    connection: Any,
    declaration: Declaration,
    *,
    schemas: Sequence[str] = (),
    undeclared: Collection[str] = (),
    baseline: Mapping[str, int] | None = None,
) -> Verification:
    """Find out what is true of everything that is declared, and look for what is wrong beside it.

    ``schemas`` limits the search for ``undeclared`` (``invalid``, ``duplicate``, ``unindexed``); ``baseline`` holds
    earlier ``scans``. Changes nothing: all transactions are rolled back.
    """
    with _looking(connection):
        catalog = reader.read_catalog(connection, schemas, _schemas(declaration))
        reader.learn_columns(connection, catalog, _tables(catalog, declaration, undeclared))
        building = reader.indexes_being_built(connection)
        since = reader.statistics_since(connection)
    obstacle = planner.obstacle(connection)
    matches = _matches(connection, catalog, declaration.indexes, obstacle)
    subjects = [
        truth.subject_of(catalog, wanted, match) for wanted, match in zip(declaration.indexes, matches, strict=True)
    ]
    with _looking(connection):
        scans = reader.scans(connection, {subject.oid for subject in subjects if subject})
    known: dict[str, set[int]] = {
        "indexes": {subject.oid for subject in subjects if subject} | building.keys(),
        "wanted": {subject.oid for subject in subjects if subject},
        "foreign_keys": set(),
    }
    rows: list[Row] = []
    for wanted, match, subject in zip(declaration.indexes, matches, subjects, strict=True):
        count, counted = _since_baseline(catalog, subject, scans, baseline or {})
        planned = None
        if subject and subject.usable and wanted.query:
            planned = planner.try_query(connection, catalog, wanted, subject)
        rows.append(truth.index_row(catalog, wanted, Found(match, planned, building, count, counted)))
    for key in declaration.foreign_keys:
        row, found = truth.foreign_key_row(catalog, key)
        known["foreign_keys"] |= {found.oid} if found else set()
        rows.append(row)
    for table in declaration.tables:
        rows += truth.table_rows(catalog, table, _types(connection, table, obstacle))
    rows += survey.all_findings(catalog, undeclared, known)
    named = {catalog.label(subject): scans.get(subject.oid, 0) for subject in subjects if subject}
    return Verification(sorted_rows(rows), catalog, building, named, since)


@contextmanager
def _looking(connection: Any) -> Iterator[None]:
    """One state of the catalogue for all that is read of it."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
    finally:
        connection.rollback()


def _schemas(declaration: Declaration) -> set[str]:
    return {
        *(table.schema for table in declaration.tables),
        *(index.schema for index in declaration.indexes),
        *(schema for key in declaration.foreign_keys for schema in (key.schema, key.references_schema)),
    }


def _tables(catalog: Catalog, declaration: Declaration, undeclared: Collection[str]) -> set[int]:
    """The tables whose columns are needed."""
    named = {
        *((table.schema, table.name) for table in declaration.tables),
        *((index.schema, index.table) for index in declaration.indexes),
        *((key.schema, key.table) for key in declaration.foreign_keys),
        *((key.references_schema, key.references) for key in declaration.foreign_keys),
    }
    found = {table.oid for table in (catalog.table(*name) for name in named) if table}
    return found | (survey.tables_without_support(catalog) if "unindexed" in undeclared else set())


def _matches(connection: Any, catalog: Catalog, wanted: Sequence[WantedIndex], obstacle: Trouble | None) -> list[Match]:
    """The matches of each declared index, in their order; one clone serves all indexes of a table."""
    found: dict[int, Match] = {}
    for oid in {table.oid for table in (catalog.table(each.schema, each.table) for each in wanted) if table}:
        table = catalog.tables[oid]
        mine = [at for at, each in enumerate(wanted) if (each.schema, each.table) == (table.schema, table.name)]
        columns = [column.name for column in catalog.columns_of(oid)]
        compared = (
            [Match(trouble=obstacle)] * len(mine)
            if obstacle
            else planner.compare(connection, table, columns, [wanted[at] for at in mine])
        )
        found.update(zip(mine, compared, strict=True))
    return [found.get(at, Match()) for at in range(len(wanted))]


def _types(connection: Any, table: WantedTable, obstacle: Trouble | None) -> Mapping[str, str | Trouble]:
    if obstacle:
        return {name: obstacle for name, kind in table.columns.items() if kind}
    return planner.declared_types(connection, table)


def _since_baseline(
    catalog: Catalog, subject: Index | None, scans: Mapping[int, int], baseline: Mapping[str, int]
) -> tuple[int | None, bool]:
    """How often an index was scanned, and whether that is since the baseline."""
    if subject is None:
        return None, False
    now, before = scans.get(subject.oid, 0), baseline.get(catalog.label(subject))
    if before is None:
        return now, False
    return (now - before if now >= before else now), True
