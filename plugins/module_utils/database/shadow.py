# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The SQL of stand-ins: a temporary table like a real one, empty or with generated rows. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

from ansible_collections.greenlight.deploy.plugins.module_utils.database.declared import WantedIndex
from ansible_collections.greenlight.deploy.plugins.module_utils.database.sql_text import quoted, readable

ROWS = 10_000
WANTED = "greenlight_wanted"
FORCED = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")
_WIDEST = 8

COLUMNS = """
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), b.typname, b.typtype,
    coalesce(nullif(a.atttypmod, -1), t.typtypmod),
    (SELECT pg_catalog.count(*) FROM pg_catalog.pg_enum WHERE enumtypid = b.oid)
FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
WHERE a.attrelid = %(table)s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
PRIMARY_KEY = """
SELECT conname FROM pg_catalog.pg_constraint
WHERE conrelid = %(table)s::regclass AND contype = 'p' AND EXISTS (
    SELECT FROM pg_catalog.pg_attribute
    WHERE attrelid = conrelid AND attnum = ANY (conkey) AND attname = ANY (%(names)s))
"""
_HEADER = 4
"""What PostgreSQL adds to the length in the modifier of a text type."""

_VALUES = {
    "bool": "({k} % 2 = 0)",
    "int2": "{k} % 30000",
    "int4": "{k}",
    "int8": "{k}",
    "oid": "{k}",
    "float4": "{k}",
    "float8": "{k}",
    "money": "({k})::int",
    "date": "pg_catalog.now() + {k} * interval '1 hour'",
    "timestamp": "pg_catalog.now() + {k} * interval '1 minute'",
    "timestamptz": "pg_catalog.now() + {k} * interval '1 minute'",
    "time": "time '00:00' + {k} * interval '1 second'",
    "interval": "{k} * interval '1 second'",
    "uuid": "pg_catalog.md5(({k})::text)",
    "json": "pg_catalog.json_build_object('key', {k})",
    "jsonb": "pg_catalog.jsonb_build_object('key', {k})",
    "bytea": "pg_catalog.decode(pg_catalog.md5(({k})::text), 'hex')",
    "inet": "pg_catalog.concat('10.', {k} / 65536 % 256, '.', {k} / 256 % 256, '.', {k} % 256)",
    "cidr": "pg_catalog.concat('10.', {k} / 65536 % 256, '.', {k} / 256 % 256, '.', {k} % 256)",
    "macaddr": "pg_catalog.lpad(pg_catalog.to_hex({k}), 12, '0')",
    "tsvector": "pg_catalog.concat('word', {k})",
    "geometry": "pg_catalog.concat('SRID=4326;POINT(', {k} % 360 - 180, ' ', {k} % 180 - 90, ')')",
    "geography": "pg_catalog.concat('SRID=4326;POINT(', {k} % 360 - 180, ' ', {k} % 180 - 90, ')')",
    "point": "pg_catalog.point({k} % 360, {k} % 180)",
}
_TEXTS = ("text", "varchar", "bpchar", "citext", "name")


class ShadowColumn(NamedTuple):
    """A column: its type in full, the type below a domain, its kind and modifier, and how many labels an enum has."""

    name: str
    type: str
    base: str
    kind: str
    modifier: int
    labels: int


def clone(schema: str, table: str, *, indexes: bool) -> str:
    """A temporary table of the same name and columns, which hides the real one until the transaction ends."""
    like = f"{quoted(schema)}.{quoted(table)}{' INCLUDING INDEXES' if indexes else ''}"
    return f"CREATE TEMPORARY TABLE {quoted(table)} (LIKE {like}) ON COMMIT DROP"


def wanted_index(wanted: WantedIndex, columns: Collection[str]) -> str:
    """The declared index on the temporary table, under the name ``WANTED``."""
    return definition(wanted, columns, f"INDEX {WANTED} ON pg_temp.{quoted(wanted.table)}")


def definition(wanted: WantedIndex, columns: Collection[str], target: str) -> str:
    """CREATE INDEX of what is declared; ``target`` is ``INDEX name ON table``.

    ``columns`` are those of the table: a key that is none of them is SQL already.
    """
    parts = [
        f"CREATE {'UNIQUE ' if wanted.unique else ''}{target} USING {readable(wanted.method)}",
        f"({', '.join(key(each, columns) for each in wanted.keys)})",
    ]
    if wanted.include:
        parts.append(f"INCLUDE ({', '.join(key(each, columns) for each in wanted.include)})")
    if wanted.unique and not wanted.nulls_distinct:
        parts.append("NULLS NOT DISTINCT")
    if wanted.predicate:
        parts.append(f"WHERE {wanted.predicate}")
    return " ".join(parts)


def key(text: str, columns: Collection[str]) -> str:
    """A key of an index: a column by its exact name, else what was declared."""
    return readable(text) if text in columns else text


def probe(table: str, predicate: str, name: str) -> str:
    """An index that holds nothing but the rows of a predicate, to ask the planner what implies it."""
    return f"CREATE INDEX {name} ON pg_temp.{quoted(table)} ((1)) WHERE {predicate}"


def asks(table: str, predicate: str) -> str:
    """The query whose plan tells whether ``predicate`` implies that of the only index that there is."""
    return " ".join(["SELECT 1 FROM", f"pg_temp.{quoted(table)}", "WHERE", predicate])


def rows(table: str, columns: Sequence[ShadowColumn], keys: Sequence[str]) -> str:
    """INSERT of generated rows. Those that a unique index or an exclusion constraint refuses are left out.

    Together the ``keys`` are unique and each alone is not, so that an index on all of them is worth more than one on a
    single one; every other column is unique by itself. A type that we cannot make values of stays empty.
    """
    radix = math.ceil(ROWS ** (1 / max(1, len(keys))))
    number = {name: f"(g / {radix**at} % {radix})" if len(keys) > 1 else "g" for at, name in enumerate(keys)}
    values = {column.name: value(column, number.get(column.name, "g")) for column in columns}
    made = {name: text for name, text in values.items() if text}
    parts = [
        f"INSERT INTO pg_temp.{quoted(table)} ({', '.join(map(quoted, made))})",
        f"SELECT {', '.join(made.values())}",
        f"FROM pg_catalog.generate_series(1, {ROWS}) g ON CONFLICT DO NOTHING",
    ]
    return " ".join(parts)


def value(column: ShadowColumn, number: str) -> str:
    """A value of the column's type made of ``number``, different for different numbers as far as the type goes."""
    if column.base in _TEXTS:
        width = min(_WIDEST, column.modifier - _HEADER) if column.modifier > _HEADER else _WIDEST
        made = f"pg_catalog.right(pg_catalog.lpad(({number})::text, {_WIDEST}, '0'), {width})"
    elif column.base == "numeric":
        made = f"{number} % {10 ** _digits(column.modifier)}"
    elif column.kind == "e" and column.labels:
        made = f"(pg_catalog.enum_range(NULL::{column.type}))[1 + {number} % {column.labels}]"
    else:
        made = _VALUES.get(column.base, "").format(k=number)
    return f"({made})::{column.type}" if made else ""


def _digits(modifier: int) -> int:
    """How many digits a numeric has before the point; many when it is not limited."""
    if modifier < _HEADER:
        return _WIDEST
    precision, scale = (modifier - _HEADER) >> 16 & 0xFFFF, (modifier - _HEADER) & 0x7FF
    return max(0, min(_WIDEST, precision - scale))


def may_be_empty(table: str, names: Sequence[str]) -> str:
    """ALTER TABLE that lets columns of the temporary table be empty."""
    changes = ", ".join(f"ALTER COLUMN {quoted(name)} DROP NOT NULL" for name in names)
    return f"ALTER TABLE pg_temp.{quoted(table)} {changes}"
