# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads PostgreSQL's catalogue over a connection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.database import catalog
from ansible_collections.greenlight.deploy.plugins.module_utils.database.catalog import (
    Catalog,
    Column,
    ForeignKey,
    Index,
    Table,
)


def fetch(connection: Any, query: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


def read_catalog(connection: Any, schemas: Sequence[str], declared: Collection[str]) -> Catalog:
    """The tables, indexes and foreign keys of ``schemas`` (all of the database's own for none) and of ``declared``."""
    scope = {"schemas": list(schemas), "declared": sorted(declared)}

    def rows(query: str) -> list[tuple[Any, ...]]:
        return fetch(connection, catalog.adapted(query, connection.server_version), scope)

    return Catalog(
        map(Table._make, rows(catalog.TABLES)),
        map(Index._make, rows(catalog.INDEXES)),
        map(ForeignKey._make, rows(catalog.FOREIGN_KEYS)),
    )


def learn_columns(connection: Any, known: Catalog, tables: Collection[int]) -> None:
    """Read the columns of ``tables`` that the catalogue does not know yet."""
    missing = [table for table in tables if not known.columns_of(table)]
    if missing:
        known.learn(map(Column._make, fetch(connection, catalog.COLUMNS, {"tables": missing})))


def indexes_being_built(connection: Any) -> dict[int, str]:
    """The indexes that somebody builds just now, with what is known of it in words."""
    return {oid: f"process {pid} is building it ({phase})" for oid, pid, phase in fetch(connection, catalog.BUILDING)}


def scans(connection: Any, indexes: Collection[int]) -> dict[int, int]:
    """How often each index was scanned since the statistics were reset; of a partitioned one all parts together."""
    if not indexes:
        return {}
    return {oid: int(count or 0) for oid, count in fetch(connection, catalog.SCANS, {"indexes": list(indexes)})}


def statistics_since(connection: Any) -> str:
    """When the statistics of this database were reset (UTC), empty for never."""
    ((since,),) = fetch(connection, catalog.STATISTICS_SINCE)
    return since or ""
