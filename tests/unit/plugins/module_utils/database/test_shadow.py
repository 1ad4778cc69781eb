# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.declared import WantedIndex
from ansible_collections.greenlight.deploy.plugins.module_utils.database.shadow import (
    ROWS,
    ShadowColumn,
    clone,
    definition,
    rows,
    value,
)


def column(base, kind="", modifier=-1, kind_of="b", labels=0):
    return ShadowColumn("c", kind or base, base, kind_of, modifier, labels)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (column("int8", "bigint"), "(g)::bigint"),
        (column("varchar", "character varying(3)", 7), "(pg_catalog.right(pg_catalog.lpad((g)::text, 8, '0'), 3))"),
        (column("text"), "(pg_catalog.right(pg_catalog.lpad((g)::text, 8, '0'), 8))::text"),
        (column("numeric", "numeric(3,1)", 4 + (3 << 16) + 1), "(g % 100)::numeric(3,1)"),
        (column("numeric"), "(g % 100000000)::numeric"),
        (column("mood", kind_of="e", labels=2), "((pg_catalog.enum_range(NULL::mood))[1 + g % 2])::mood"),
        (column("tstzrange"), ""),
    ],
)
def test_values_of_types(made, expected):
    assert value(made, "g").startswith(expected) if expected else value(made, "g") == ""


def test_keys_together_are_unique_and_each_alone_is_not():
    columns = [ShadowColumn(name, "integer", "int4", "b", -1, 0) for name in ("a", "b", "z")]
    statement = rows("t", columns, ["a", "b"])
    assert statement.startswith('INSERT INTO pg_temp."t" ("a", "b", "z") SELECT ((g / 1 % 100))::integer, ')
    assert "((g / 100 % 100))::integer, (g)::integer" in statement
    pairs = {(g // 1 % 100, g // 100 % 100) for g in range(1, ROWS + 1)}
    assert len(pairs) == ROWS


def test_names_are_quoted_as_they_must_be():
    assert clone("Shop", 'a"b', indexes=True) == (
        'CREATE TEMPORARY TABLE "a""b" (LIKE "Shop"."a""b" INCLUDING INDEXES) ON COMMIT DROP'
    )
    wanted = WantedIndex(
        "public", "t", ("userId", "lower(x)", "order"), include=("Note",), unique=True, nulls_distinct=False,
        predicate="x > 1", method="btree",
    )  # fmt: skip
    assert definition(wanted, ["userId", "order", "Note"], "INDEX i ON t") == (
        'CREATE UNIQUE INDEX i ON t USING btree ("userId", lower(x), "order") INCLUDE ("Note") '
        "NULLS NOT DISTINCT WHERE x > 1"
    )
