# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a catalogue tells although nobody declared it: leftovers, duplicates, foreign keys without an index. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from ansible_collections.greenlight.deploy.plugins.module_utils.database import fixes
from ansible_collections.greenlight.deploy.plugins.module_utils.database.catalog import Catalog, ForeignKey, Index
from ansible_collections.greenlight.deploy.plugins.module_utils.database.rows import Row
from ansible_collections.greenlight.deploy.plugins.module_utils.database.sql_text import listed, readable

_SEEKING_EQUALITY = ("btree", "hash")


def leftovers(catalog: Catalog, known: Collection[int]) -> Iterator[Row]:
    """Indexes that are not valid; ``known`` are those that are told of elsewhere or are being built."""
    for index in catalog.indexes:
        if not index.usable and index.oid not in known:
            yield Row(
                "index",
                catalog.label(index),
                catalog.tables[index.table].label,
                "invalid",
                why=why_invalid(index),
                fix=fixes.revive_index(catalog, index),
                declared=False,
                exists=True,
                valid=index.valid,
                ready=index.ready,
            )


def why_invalid(index: Index) -> str:
    """Why an index is not valid, as far as the catalogue tells."""
    if fixes.is_reindex_leftover(index):
        return "left by a REINDEX CONCURRENTLY that was cancelled or failed"
    if index.partitioned:
        return "not every partition has its part of it"
    return "its build was cancelled or failed; the planner does not use it, every write pays for it"


def duplicates(catalog: Catalog, wanted: Collection[int]) -> Iterator[Row]:
    """Valid indexes that say the same as another one of their table; the one that is needed most is kept.

    ``wanted`` are those that are declared. A part of a partitioned index stands and falls with it and is not told of.
    """
    referenced = {key.referenced_index for key in catalog.foreign_keys}
    alike: dict[tuple[object, ...], list[Index]] = defaultdict(list)
    for index in catalog.indexes:
        if index.usable and not index.exclusion and not index.partition:
            alike[_meaning(index)].append(index)
    for group in alike.values():
        if len(group) > 1:
            kept, *superfluous = sorted(group, key=lambda index: _dispensable(index, wanted, referenced))
            for index in superfluous:
                if not index.unique or (kept.unique and kept.nulls_distinct == index.nulls_distinct):
                    yield _duplicate(catalog, index, kept)


def _meaning(index: Index) -> tuple[object, ...]:
    return (
        index.table, index.method, index.key_count, index.attributes, index.operators, index.collations, index.options,
        index.expressions, index.predicate,
    )  # fmt: skip


def _dispensable(index: Index, wanted: Collection[int], referenced: Collection[int]) -> tuple[bool, ...]:
    """Smallest for the index that must stay."""
    return (
        index.oid not in referenced,
        not index.primary,
        not index.replica_identity,
        not index.unique,
        index.constraint is None,
        index.oid not in wanted,
    )


def _duplicate(catalog: Catalog, index: Index, kept: Index) -> Row:
    return Row(
        "index",
        catalog.label(index),
        catalog.tables[index.table].label,
        "duplicate",
        why=f"the same as {catalog.label(kept)}",
        fix=fixes.drop_index(catalog, index),
        declared=False,
        exists=True,
        valid=True,
        ready=True,
    )


def supported(catalog: Catalog, foreign_key: ForeignKey) -> bool:
    """Whether an index finds the rows of a foreign key: its columns, in any order, are the first ones of the index."""
    return any(_finds(index, foreign_key, catalog) for index in catalog.indexes_of(foreign_key.table))


def _finds(index: Index, foreign_key: ForeignKey, catalog: Catalog) -> bool:
    columns, keys = set(foreign_key.columns), index.keys
    fits = index.usable and index.method in _SEEKING_EQUALITY and set(keys[: len(columns)]) == columns
    return fits and (index.predicate is None or _always_true(index, foreign_key, catalog))


def _always_true(index: Index, foreign_key: ForeignKey, catalog: Catalog) -> bool:
    """Whether its predicate only leaves out rows that reference nothing."""
    names = catalog.names(foreign_key.table, foreign_key.columns)
    return (index.predicate or "").strip("()") in {f"{readable(name)} IS NOT NULL" for name in names}


def unindexed(catalog: Catalog, known: Collection[int]) -> Iterator[Row]:
    """Foreign keys that no index supports; ``known`` are those that are told of elsewhere.

    The columns of :func:`tables_without_support` must have been learnt.
    """
    for key in catalog.foreign_keys:
        if key.oid not in known and not supported(catalog, key):
            table = catalog.tables[key.table]
            columns = catalog.names(key.table, key.columns)
            yield Row(
                "foreign_key",
                f"{table.label} ({listed(columns)})",
                table.label,
                "unindexed",
                why=why_unindexed(catalog, key),
                fix=fixes.support_foreign_key(table, columns),
                declared=False,
                exists=True,
                valid=key.validated,
            )


def why_unindexed(catalog: Catalog, key: ForeignKey) -> str:
    """What a foreign key without an index costs."""
    parent = catalog.tables.get(key.references)
    return f"{readable(key.name)}: deleting from {parent.label if parent else 'its parent'} reads the whole table"


def tables_without_support(catalog: Catalog) -> set[int]:
    """The tables whose columns are needed to judge foreign keys: where no index without predicate supports one."""
    return {key.table for key in catalog.foreign_keys if not supported(catalog, key)}


def all_findings(catalog: Catalog, kinds: Collection[str], known: Mapping[str, Collection[int]]) -> Iterator[Row]:
    """What was asked for of ``invalid``, ``duplicate`` and ``unindexed``.

    ``known`` holds, by ``indexes``, ``wanted`` and ``foreign_keys``, what the declaration tells of already.
    """
    ways = {
        "invalid": lambda: leftovers(catalog, known["indexes"]),
        "duplicate": lambda: duplicates(catalog, known["wanted"]),
        "unindexed": lambda: unindexed(catalog, known["foreign_keys"]),
    }
    return chain.from_iterable(ways[kind]() for kind in kinds)
