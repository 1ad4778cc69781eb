# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an application declares of its schema: tables, indexes, foreign keys. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.database.sql_text import (
    fragment,
    path,
    readable,
    single_statement,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput


@dataclass(frozen=True)
class WantedTable:
    """A table that must be there; ``columns`` by name with their types as SQL, an empty type for any."""

    schema: str
    name: str
    columns: Mapping[str, str]


@dataclass(frozen=True)
class WantedIndex:
    """An index that must be there, and the query that it is there for.

    Each of ``keys`` and ``include`` is the exact name of a column, or else SQL as CREATE INDEX takes it.
    """

    schema: str
    table: str
    keys: tuple[str, ...]
    name: str = ""
    include: tuple[str, ...] = ()
    unique: bool = False
    nulls_distinct: bool = True
    predicate: str = ""
    method: str = "btree"
    query: str = ""

    @property
    def label(self) -> str:
        """The index for people: its name, or what it is on."""
        if self.name:
            return path(self.schema, self.name)
        return f"{path(self.schema, self.table)} ({', '.join(self.keys)})"


@dataclass(frozen=True)
class WantedForeignKey:
    """A foreign key that must be there; what is empty is not compared. ``index``: something must support it."""

    schema: str
    table: str
    columns: tuple[str, ...]
    references_schema: str
    references: str
    references_columns: tuple[str, ...] = ()
    name: str = ""
    on_delete: str = ""
    index: bool = True

    @property
    def label(self) -> str:
        """The foreign key for people."""
        return f"{path(self.schema, self.table)} ({', '.join(map(readable, self.columns))})"


@dataclass(frozen=True)
class Declaration:
    """Everything that is declared."""

    tables: tuple[WantedTable, ...] = ()
    indexes: tuple[WantedIndex, ...] = ()
    foreign_keys: tuple[WantedForeignKey, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tables or self.indexes or self.foreign_keys)


def declaration_of(params: Mapping[str, Any]) -> Declaration:
    """The module's options ``tables``, ``indexes`` and ``foreign_keys``; :class:`InvalidInput` names what is wrong."""
    return Declaration(
        tuple(_table(raw, f"tables[{at}]") for at, raw in enumerate(params["tables"])),
        tuple(_index(raw, f"indexes[{at}]") for at, raw in enumerate(params["indexes"])),
        tuple(_foreign_key(raw, f"foreign_keys[{at}]") for at, raw in enumerate(params["foreign_keys"])),
    )


def _table(raw: Mapping[str, Any], where: str) -> WantedTable:
    types = {str(name): str(kind or "") for name, kind in (raw["columns"] or {}).items()}
    for name, kind in types.items():
        if kind:
            fragment(kind, f"{where}.columns.{name}", alone=True)
    return WantedTable(raw["schema"], _name(raw["name"], f"{where}.name"), types)


def _index(raw: Mapping[str, Any], where: str) -> WantedIndex:
    return WantedIndex(
        schema=raw["schema"],
        table=_name(raw["table"], f"{where}.table"),
        keys=tuple(fragment(key, f"{where}.columns", alone=True) for key in _some(raw["columns"], f"{where}.columns")),
        name=raw["name"],
        include=tuple(fragment(key, f"{where}.include", alone=True) for key in raw["include"]),
        unique=raw["unique"],
        nulls_distinct=raw["nulls_distinct"],
        predicate=fragment(raw["predicate"], f"{where}.predicate") if raw["predicate"] else "",
        method=raw["method"],
        query=single_statement(raw["query"], f"{where}.query") if raw["query"] else "",
    )


def _foreign_key(raw: Mapping[str, Any], where: str) -> WantedForeignKey:
    columns = tuple(_some(raw["columns"], f"{where}.columns"))
    referenced = tuple(raw["references_columns"])
    if referenced and len(referenced) != len(columns):
        raise InvalidInput(
            f"{len(columns)} columns reference {len(referenced)}", where=where, expected="as many as it has itself"
        )
    return WantedForeignKey(
        schema=raw["schema"],
        table=_name(raw["table"], f"{where}.table"),
        columns=columns,
        references_schema=raw["references_schema"] or raw["schema"],
        references=_name(raw["references"], f"{where}.references"),
        references_columns=referenced,
        name=raw["name"],
        on_delete=raw["on_delete"] or "",
        index=raw["index"],
    )


def _name(text: str, where: str) -> str:
    if not text:
        raise InvalidInput("is empty", where=where, expected="a name as the catalogue has it, without quotes")
    return text


def _some(items: Sequence[str], where: str) -> Sequence[str]:
    if not items:
        raise InvalidInput("is empty", where=where, expected="at least one column")
    return items
