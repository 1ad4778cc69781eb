# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rebuilds indexes without stopping readers and writers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.database import fixes
from ansible_collections.greenlight.deploy.plugins.module_utils.database.catalog import Catalog, Index
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import Error
from ansible_collections.greenlight.deploy.plugins.module_utils.database.sql_text import path
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed, InvalidInput

LEFT_BEHIND = """
SELECT n.nspname, x.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
WHERE i.indrelid = %(table)s AND NOT i.indisvalid AND NOT i.indexrelid = ANY (%(known)s::oid[])
"""


def due(catalog: Catalog, building: Mapping[int, str], wished: Sequence[str]) -> list[Index]:
    """The indexes to rebuild: those that are not valid, and the ``wished`` ones, by name as ``schema.index``.

    Left out are what a cancelled rebuild left, what somebody is building, and an index of a partitioned table, which
    is valid as soon as its parts are. :class:`InvalidInput` for a wished index that is not there.
    """
    named = {catalog.label(index): index for index in catalog.indexes}
    for name in wished:
        if name not in named:
            raise InvalidInput(f"there is no index {name}", where="rebuild_also", expected="schema.index")
    broken = [
        index
        for index in catalog.indexes
        if not index.usable and not index.partitioned and not fixes.is_reindex_leftover(index)
    ]
    chosen = {index.oid: index for index in (*broken, *(named[name] for name in wished))}
    return [index for oid, index in chosen.items() if oid not in building]


def rebuild(connection: Any, catalog: Catalog, indexes: Iterable[Index], lock_timeout: float) -> list[str]:
    """Rebuild each index concurrently, over a connection that commits by itself; their names.

    ``lock_timeout`` in seconds is how long it waits for transactions that began before. What a rebuild that fails
    leaves behind is taken away again, then :class:`CommandFailed` is raised.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.set_config('lock_timeout', %s, false)", [f"{round(lock_timeout * 1000)}ms"])
        cursor.execute("SELECT pg_catalog.set_config('statement_timeout', '0', false)")
        return [_rebuild(cursor, catalog, index) for index in indexes]


def _rebuild(cursor: Any, catalog: Catalog, index: Index) -> str:
    label = catalog.label(index)
    known = [each.oid for each in catalog.indexes_of(index.table)]
    try:
        cursor.execute(f"REINDEX INDEX CONCURRENTLY {label}")
    except Error as error:
        left = _take_away(cursor, index.table, known)
        raise CommandFailed(
            f"it could not be rebuilt: {' '.join(str(error).split())}" + (f"; {left} was taken away" if left else ""),
            where=label,
            expected="rows that the index allows, and no transaction that is older than the wait for locks",
            do="put that right, then run it again",
        ) from error
    return label


def _take_away(cursor: Any, table: int, known: Sequence[int]) -> str:
    cursor.execute(LEFT_BEHIND, {"table": table, "known": list(known)})
    left = [path(*names) for names in cursor.fetchall()]
    for name in left:
        cursor.execute(f"DROP INDEX CONCURRENTLY {name}")
    return ", ".join(left)
