# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PostgreSQL's catalogue says of tables, indexes and foreign keys, and the queries that ask it. Pure.

The queries read the catalogue's own tables by number and join nothing by name: ten thousand tables are a fraction of a
second, and constraints of one name in several schemas stay apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from ansible_collections.greenlight.deploy.plugins.module_utils.database.sql_text import path

TABLES = """
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind = 'p', c.relispartition, c.reltuples::float8
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND <scope>
"""
INDEXES = """
SELECT i.indexrelid::bigint, i.indrelid::bigint, x.relname, a.amname, i.indisunique, i.indisvalid,
    i.indisready AND i.indislive, i.indisprimary, i.indisexclusion, i.indisreplident, x.relkind = 'I',
    x.relispartition, i.indnkeyatts, i.indkey::text, i.indclass::text, i.indcollation::text, i.indoption::text,
    pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true), pg_catalog.pg_get_expr(i.indpred, i.indrelid, true),
    <nulls_distinct>, k.conname
FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am a ON a.oid = x.relam
    JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace
    LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
WHERE <scope>
"""
FOREIGN_KEYS = """
SELECT k.oid::bigint, k.conname, k.conrelid::bigint, k.confrelid::bigint, k.conkey::int[], k.confkey::int[],
    k.confdeltype, k.convalidated, k.conindid::bigint
FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n ON n.oid = k.connamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND <scope>
"""
_SCOPE = """n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema' AND (
    pg_catalog.cardinality(%(schemas)s::text[]) = 0
    OR n.nspname = ANY (%(schemas)s::text[]) OR n.nspname = ANY (%(declared)s::text[]))"""
COLUMNS = """
SELECT attrelid::bigint, attnum, attname, pg_catalog.format_type(atttypid, atttypmod) FROM pg_catalog.pg_attribute
WHERE attrelid = ANY (%(tables)s::oid[]) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum
"""
BUILDING = """
SELECT index_relid::bigint, pid, phase FROM pg_catalog.pg_stat_progress_create_index
WHERE datname = pg_catalog.current_database() AND index_relid <> 0
"""
SCANS = """
SELECT t.root::bigint, pg_catalog.sum(pg_catalog.pg_stat_get_numscans(t.leaf))::bigint
FROM (
    SELECT root, coalesce(p.relid, root)::oid AS leaf FROM pg_catalog.unnest(%(indexes)s::oid[]) root
    LEFT JOIN LATERAL pg_catalog.pg_partition_tree(root) p ON true
) t GROUP BY t.root
"""
STATISTICS_SINCE = """
SELECT pg_catalog.to_char(stats_reset AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM pg_catalog.pg_stat_database WHERE datname = pg_catalog.current_database()
"""
DELETE_ACTIONS = {"a": "no action", "r": "restrict", "c": "cascade", "n": "set null", "d": "set default"}
_NULLS_DISTINCT_SINCE = 150000


def adapted(query: str, version: int) -> str:
    """A query of this file for a server of ``version`` (150018 is 15.18), limited to schemas by its parameters."""
    nulls_distinct = "NOT i.indnullsnotdistinct" if version >= _NULLS_DISTINCT_SINCE else "true"
    return query.replace("<scope>", _SCOPE).replace("<nulls_distinct>", nulls_distinct)


class Table(NamedTuple):
    """A table or materialized view; ``rows`` as last estimated, -1 when never."""

    oid: int
    schema: str
    name: str
    partitioned: bool
    partition: bool
    rows: float

    @property
    def label(self) -> str:
        """``schema.table`` for people and for SQL."""
        return path(self.schema, self.name)


class Index(NamedTuple):
    """An index as the catalogue has it; ``keys`` to ``options`` are the catalogue's own lists of numbers."""

    oid: int
    table: int
    name: str
    method: str
    unique: bool
    valid: bool
    ready: bool
    primary: bool
    exclusion: bool
    replica_identity: bool
    partitioned: bool
    partition: bool
    key_count: int
    attributes: str
    operators: str
    collations: str
    options: str
    expressions: str | None
    predicate: str | None
    nulls_distinct: bool
    constraint: str | None

    @property
    def keys(self) -> tuple[int, ...]:
        """The numbers of the key columns in order, 0 for an expression."""
        return tuple(map(int, self.attributes.split()[: self.key_count]))

    @property
    def usable(self) -> bool:
        """Whether the planner may use it."""
        return self.valid and self.ready


class ForeignKey(NamedTuple):
    """A foreign key; of a partitioned table the one that was declared, not its copies on the partitions.

    ``referenced_index`` is what makes the referenced columns unique.
    """

    oid: int
    name: str
    table: int
    references: int
    columns: Sequence[int]
    references_columns: Sequence[int]
    on_delete: str
    validated: bool
    referenced_index: int


class Column(NamedTuple):
    """A column and its type as PostgreSQL writes it."""

    table: int
    number: int
    name: str
    type: str


class Catalog:
    """The catalogue, read once, and the ways to look things up in it."""

    def __init__(
        self, tables: Iterable[Table], indexes: Iterable[Index], foreign_keys: Iterable[ForeignKey] = ()
    ) -> None:
        self.tables: Mapping[int, Table] = {table.oid: table for table in tables}
        self.indexes: Sequence[Index] = [index for index in indexes if index.table in self.tables]
        self.foreign_keys: Sequence[ForeignKey] = [key for key in foreign_keys if key.table in self.tables]
        self._columns: dict[int, list[Column]] = {}

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Table]:
        return {(table.schema, table.name): table for table in self.tables.values()}

    @cached_property
    def _by_table(self) -> Mapping[int, list[Index]]:
        found: dict[int, list[Index]] = defaultdict(list)
        for index in self.indexes:
            found[index.table].append(index)
        return found

    def table(self, schema: str, name: str) -> Table | None:
        """The table of that exact name."""
        return self._by_name.get((schema, name))

    def indexes_of(self, table: int) -> Sequence[Index]:
        """The indexes of a table."""
        return self._by_table.get(table, ())

    def index_named(self, schema: str, name: str) -> Index | None:
        """The index of that exact name, whatever its table."""
        named = (index for index in self.indexes if index.name == name)
        return next((index for index in named if self.tables[index.table].schema == schema), None)

    def label(self, index: Index) -> str:
        """``schema.index`` for people and for SQL."""
        return path(self.tables[index.table].schema, index.name)

    def learn(self, columns: Iterable[Column]) -> None:
        """Take in the columns of some tables."""
        for column in columns:
            self._columns.setdefault(column.table, []).append(column)

    def columns_of(self, table: int) -> Sequence[Column]:
        """The columns of a table that were learnt, in their order."""
        return self._columns.get(table, ())

    def names(self, table: int, numbers: Iterable[int]) -> tuple[str, ...]:
        """The names of the columns with those numbers; ``?`` for one that was not learnt."""
        known = {column.number: column.name for column in self.columns_of(table)}
        return tuple(known.get(number, "?") for number in numbers)
