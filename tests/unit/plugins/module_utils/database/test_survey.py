# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.database.catalog import (
    Catalog,
    Column,
    ForeignKey,
    Index,
    Table,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.survey import (
    all_findings,
    duplicates,
    leftovers,
    supported,
    tables_without_support,
    unindexed,
)

ITEM, TENANT = Table(1, "public", "item", False, False, 0), Table(2, "public", "tenant", False, False, 0)
BASE = Index(
    oid=10, table=1, name="one", method="btree", unique=False, valid=True, ready=True, primary=False,
    exclusion=False, replica_identity=False, partitioned=False, partition=False, key_count=1, attributes="2",
    operators="1", collations="0", options="0", expressions=None, predicate=None, nulls_distinct=True, constraint=None,
)  # fmt: skip
TWIN = BASE._replace(oid=11, name="two")
KEY = ForeignKey(20, "item_tenant", 1, 2, [2], [1], "a", True, 0)


def catalog(*indexes, keys=()):
    made = Catalog([ITEM, TENANT], indexes, keys)
    made.learn([Column(1, 1, "id", "bigint"), Column(1, 2, "tenant_id", "bigint"), Column(1, 3, "b", "text")])
    return made


def doubled(*indexes, wanted=(), keys=()):
    return [row.object for row in duplicates(catalog(*indexes, keys=keys), wanted)]


def test_the_index_that_is_needed_more_stays():
    assert doubled(BASE, TWIN) == ["public.two"]
    assert doubled(BASE, TWIN, wanted={11}) == ["public.one"]
    assert doubled(BASE, TWIN._replace(unique=True)) == ["public.one"]
    assert doubled(BASE._replace(unique=True), TWIN._replace(unique=True, constraint="two")) == ["public.one"]
    assert doubled(BASE._replace(unique=True, constraint="one"), TWIN._replace(unique=True, primary=True)) == [
        "public.one"
    ]
    referenced = KEY._replace(referenced_index=10)
    assert doubled(BASE._replace(unique=True), TWIN._replace(unique=True, primary=True), keys=[referenced]) == [
        "public.two"
    ]


def test_what_differs_in_anything_is_no_duplicate():
    for change in (
        {"table": 2}, {"method": "hash"}, {"attributes": "2 3"}, {"key_count": 2}, {"operators": "2"},
        {"collations": "100"}, {"options": "3"}, {"expressions": "lower(b)"}, {"predicate": "b = 'x'"},
        {"valid": False}, {"ready": False}, {"exclusion": True}, {"partition": True},
    ):  # fmt: skip
        assert doubled(BASE, TWIN._replace(**change)) == [], change


def test_two_unique_indexes_that_treat_nulls_differently_are_both_needed():
    strict = TWIN._replace(unique=True, nulls_distinct=False)
    assert doubled(BASE._replace(unique=True), strict) == []
    assert doubled(BASE, strict) == ["public.one"]


def test_leftovers_leave_out_what_is_told_of_elsewhere():
    broken = BASE._replace(valid=False)
    assert [row.fix for row in leftovers(catalog(broken), ())] == ["REINDEX INDEX CONCURRENTLY public.one;"]
    assert list(leftovers(catalog(broken), {10})) == []
    for name in ("one_ccnew", "one_ccold", "one_ccnew12"):
        (row,) = leftovers(catalog(broken._replace(name=name)), ())
        assert row.fix == f"DROP INDEX CONCURRENTLY public.{name};"
    (parent,) = leftovers(catalog(broken._replace(partitioned=True)), ())
    assert "ATTACH PARTITION" in parent.fix


def test_what_supports_a_foreign_key():
    two = KEY._replace(columns=[2, 3])
    for index, key, expected in (
        (BASE, KEY, True),
        (BASE._replace(attributes="2 3", key_count=2), KEY, True),
        (BASE._replace(attributes="3 2", key_count=2), KEY, False),
        (BASE._replace(attributes="3 2", key_count=2), two, True),
        (BASE._replace(attributes="3 2 1", key_count=3), two, True),
        (BASE._replace(attributes="2 1 3", key_count=3), two, False),
        (BASE._replace(attributes="2 3", key_count=1), two, False),
        (BASE._replace(attributes="0"), KEY, False),
        (BASE._replace(method="hash"), KEY, True),
        (BASE._replace(method="gin"), KEY, False),
        (BASE._replace(valid=False), KEY, False),
        (BASE._replace(predicate="(b = 'x'::text)"), KEY, False),
        (BASE._replace(predicate="(tenant_id IS NOT NULL)"), KEY, True),
        (BASE._replace(table=2), KEY, False),
    ):
        made = catalog(index, keys=[key])
        assert supported(made, key) is expected, index
        assert (list(unindexed(made, ())) == []) is expected
        assert tables_without_support(made) == (set() if expected else {1})


def test_only_the_kinds_that_are_asked_for_are_looked_for():
    made = catalog(
        BASE._replace(attributes="3"), TWIN._replace(attributes="3"), BASE._replace(oid=12, valid=False), keys=[KEY]
    )
    known = {"indexes": (), "wanted": (), "foreign_keys": ()}
    kinds = ("invalid", "duplicate", "unindexed")
    assert [row.verdict for row in all_findings(made, kinds, known)] == list(kinds)
    assert list(all_findings(made, ("unindexed",), {**known, "foreign_keys": {20}})) == []
