# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.declared import declaration_of
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

INDEX: dict[str, Any] = {
    "schema": "public", "table": "a", "columns": ["b"], "name": "", "include": [], "unique": False,
    "nulls_distinct": True, "predicate": "", "method": "btree", "query": "",
}  # fmt: skip
KEY: dict[str, Any] = {
    "schema": "app", "table": "a", "columns": ["b"], "references": "p", "references_schema": "",
    "references_columns": [], "name": "", "on_delete": None, "index": True,
}  # fmt: skip


def declared(tables=(), indexes=(), foreign_keys=()):
    return declaration_of({"tables": tables, "indexes": indexes, "foreign_keys": foreign_keys})


def test_what_is_declared_is_read():
    made = declared(
        [{"schema": "public", "name": "a", "columns": {"b": "varchar(3)", "c": None}}],
        [{**INDEX, "query": "SELECT 1;"}, {**INDEX, "name": "Idx"}],
        [KEY],
    )
    assert made.tables[0].columns == {"b": "varchar(3)", "c": ""}
    assert (made.indexes[0].query, made.indexes[0].label, made.indexes[1].label) == (
        "SELECT 1", "public.a (b)", 'public."Idx"',
    )  # fmt: skip
    assert made.foreign_keys[0].references_schema == "app"
    assert made
    assert not declared()


@pytest.mark.parametrize(
    ("part", "change", "where"),
    [
        ("indexes", {"columns": []}, "indexes[1].columns"),
        ("indexes", {"columns": ["a, b"]}, "indexes[1].columns"),
        ("indexes", {"include": ["a)"]}, "indexes[1].include"),
        ("indexes", {"table": ""}, "indexes[1].table"),
        ("indexes", {"predicate": "a; b"}, "indexes[1].predicate"),
        ("indexes", {"query": "VACUUM"}, "indexes[1].query"),
        ("foreign_keys", {"columns": []}, "foreign_keys[1].columns"),
        ("foreign_keys", {"references": ""}, "foreign_keys[1].references"),
        ("foreign_keys", {"references_columns": ["a", "b"]}, "foreign_keys[1]"),
    ],
)
def test_what_is_wrong_is_named(part, change, where):
    right = INDEX if part == "indexes" else KEY
    with pytest.raises(InvalidInput) as refused:
        declared(**{part: [right, {**right, **change}]})
    assert refused.value.where == where


def test_a_type_is_one_expression():
    with pytest.raises(InvalidInput):
        declared([{"schema": "public", "name": "a", "columns": {"b": "int, c text); DROP TABLE a; --"}}])
