# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.catalog import Catalog, Column, Index, Table
from ansible_collections.greenlight.deploy.plugins.module_utils.database.declared import WantedIndex
from ansible_collections.greenlight.deploy.plugins.module_utils.database.truth import (
    Found,
    Match,
    Planned,
    Trouble,
    index_row,
    subject_of,
)

ITEM = Table(1, "public", "item", False, False, 0)
INDEX = Index(
    oid=10, table=1, name="item_x", method="btree", unique=False, valid=True, ready=True, primary=False,
    exclusion=False, replica_identity=False, partitioned=False, partition=False, key_count=1, attributes="2",
    operators="1", collations="0", options="0", expressions=None, predicate=None, nulls_distinct=True, constraint=None,
)  # fmt: skip
WANTED = WantedIndex("public", "item", ("x",), name="item_x", query="SELECT 1")
MATCHED = Match(frozenset({10}))


def catalog(*indexes, tables=(ITEM,)):
    made = Catalog(tables, indexes)
    made.learn([Column(1, 1, "id", "bigint"), Column(1, 2, "x", "integer")])
    return made


@pytest.mark.parametrize(
    ("planned", "verdict", "chosen", "usable"),
    [
        (None, "ok", None, None),
        (Planned(large=True, chosen=True), "ok", True, True),
        (Planned(large=False, chosen=True), "ok", True, True),
        (Planned(large=False, usable=True), "ok", False, True),
        (Planned(large=False, usable=True, served=True), "ok", False, True),
        (Planned(large=True, usable=True, served=True), "ok", False, True),
        (Planned(large=True, usable=True), "not_chosen", False, True),
        (Planned(large=True), "unusable", False, False),
        (Planned(large=False), "unusable", False, False),
        (Planned(large=False, trouble=Trouble("no rows")), "unproven", None, None),
    ],
)
def test_the_verdict_on_a_plan(planned, verdict, chosen, usable):
    row = index_row(catalog(INDEX), WANTED, Found(MATCHED, planned))
    assert (row.verdict, row.chosen, row.usable) == (verdict, chosen, usable)
    assert (row.exists, row.valid, row.ready, row.matches) == (True, True, True, True)


def test_an_index_that_is_not_valid_is_judged_before_any_plan():
    broken = INDEX._replace(valid=False)
    assert index_row(catalog(broken), WANTED, Found(MATCHED)).verdict == "invalid"
    row = index_row(catalog(broken), WANTED, Found(MATCHED, building={10: "process 7 is building it"}))
    assert (row.verdict, row.why) == ("building", "process 7 is building it")


def test_a_definition_that_cannot_be_is_missing_and_one_that_may_not_be_tried_is_unproven():
    impossible = Found(Match(trouble=Trouble('column "y" does not exist')))
    assert index_row(catalog(), WANTED, impossible).verdict == "missing"
    forbidden = Found(Match(trouble=Trouble("permission denied", refused=True, fix="GRANT ...;")))
    row = index_row(catalog(INDEX), WANTED, forbidden)
    assert (row.verdict, row.exists, row.matches, row.fix) == ("unproven", True, None, "GRANT ...;")


def test_the_subject_is_the_named_one_then_a_valid_one():
    twin, broken = INDEX._replace(oid=11, name="twin"), INDEX._replace(oid=12, name="broken", valid=False)
    both = Match(frozenset({10, 11}))
    assert subject_of(catalog(twin, INDEX), WANTED, both) == INDEX
    nameless = replace(WANTED, name="")
    assert subject_of(catalog(broken, twin), nameless, Match(frozenset({11, 12}))) == twin
    assert subject_of(catalog(broken), nameless, Match(frozenset({12}))) == broken
    assert subject_of(catalog(INDEX), WANTED, Match()) is None


def test_scans_say_unused_only_against_a_baseline_and_never_over_something_worse():
    verdicts = [
        index_row(catalog(INDEX), WANTED, Found(MATCHED, planned, scans=scans, since_baseline=baseline)).verdict
        for planned, scans, baseline in (
            (None, 0, False), (None, 0, True), (None, 3, True), (Planned(large=True), 0, True),
        )
    ]  # fmt: skip
    assert verdicts == ["ok", "unused", "ok", "unusable"]


def test_a_name_that_another_definition_has_is_different_also_when_the_wanted_one_is_elsewhere():
    row = index_row(catalog(INDEX, INDEX._replace(oid=11, name="twin")), WANTED, Found(Match(frozenset({11}))))
    assert (row.verdict, row.matches) == ("different", False)
    assert "public.twin" in row.why
    assert row.fix.endswith("ALTER INDEX public.item_x_new RENAME TO item_x;")


def test_a_partitioned_table_is_given_no_concurrent_fix():
    parted = ITEM._replace(partitioned=True)
    assert "CONCURRENTLY" not in index_row(catalog(tables=[parted]), WANTED, Found(Match())).fix
    assert "CONCURRENTLY" in index_row(catalog(), WANTED, Found(Match())).fix
