# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import ledger
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger import FIELDS, Entry

ROW = {
    "app": "shop", "release": "r1", "version": "v1", "framework": "django", "reversible": True, "begun_at": "10:00",
    "applied_at": "10:01", "reversed_at": "", "seconds": 0.1, "schema_before": "x", "schema_after": "y",
    "role": "shop", "recovered": False,
}  # fmt: skip


def entry(number, deployment, migration, **differences):
    return Entry(**{**ROW, "id": number, "deployment": deployment, "migration": migration, **differences})


def begun(number, migration, before="x"):
    return entry(number, "d1", migration, applied_at="", schema_before=before)


def test_the_fields_are_those_of_an_entry():
    assert sorted(FIELDS) == sorted(Entry.__dataclass_fields__)


def test_rows_are_put_in_order():
    rows = [vars(entry(2, "d", "b")), vars(entry(1, "d", "a"))]
    assert [each.id for each in ledger.entries_of(rows)] == [1, 2]


@pytest.mark.parametrize(
    ("row", "recorded", "schema", "found"),
    [
        (begun(1, "a"), ["a"], "z", "applied"),
        (begun(1, "a"), [], "x", "forgotten"),
        (begun(1, "a"), [], "z", "unfinished"),
        (entry(1, "d1", "a"), [], "z", "undone"),
        (entry(1, "d1", "a"), ["a"], "z", ""),
        (entry(1, "d1", "a", reversed_at="11:00"), [], "z", ""),
    ],
)
def test_what_a_killed_run_left(row, recorded, schema, found):
    recovery = ledger.recovery([row], recorded, schema)
    assert {name: rows for name, rows in vars(recovery).items() if rows} == ({found: (row,)} if found else {})


HISTORY = [
    entry(1, "d1", "a"),
    entry(2, "d2", "b"),
    entry(3, "d2", "c"),
    entry(4, "d3", "e", reversed_at="11:00"),
    begun(5, "f"),
]


def test_a_deployment_is_undone_newest_first():
    name, rows = ledger.chosen(HISTORY, "d2")
    assert (name, [row.migration for row in rows]) == ("d2", ["c", "b"])


def test_the_newest_is_chosen_and_never_one_further():
    assert ledger.chosen(HISTORY, "") == ("d3", [])
    assert ledger.chosen([], "") == ("", [])
    assert [row.migration for row in ledger.chosen(HISTORY[:3], "")[1]] == ["c", "b"]


def test_what_the_release_that_serves_needs_is_where_it_stops():
    assert [row.migration for row in ledger.chosen(HISTORY, "", ["a"])[1]] == ["c", "b"]
    assert ledger.chosen(HISTORY, "", ["a", "b", "c"]) == ("d2", [])
    assert ledger.chosen(HISTORY[:1], "", ["a"]) == ("d1", [])
    assert ledger.chosen([], "", ["a"]) == ("", [])


@pytest.mark.parametrize(
    ("deployment", "said"),
    [
        ("d1", "d2 applied b, c after it.*Do: undo d2 first"),
        ("d9", "the ledger has no migrations of deployment d9.*Expected: one of d3, d2, d1"),
    ],
)
def test_what_cannot_be_chosen(deployment, said):
    with pytest.raises(InvalidInput, match=said):
        ledger.chosen(HISTORY, deployment)


def test_each_deployment_in_words():
    newest, *_others = ledger.deployments([*HISTORY, entry(6, "d4", "g", reversible=False, version="")])
    assert newest["sentence"] == "d4 (r1) applied g"
    assert (newest["stands"], newest["reversible"]) == (["g"], False)
    said = {each["deployment"]: each["sentence"] for each in ledger.deployments(HISTORY)}
    assert said == {
        "d1": "d1 (v1) applied a; did not end f",
        "d2": "d2 (v1) applied b, c",
        "d3": "d3 (v1) had undone e",
    }
