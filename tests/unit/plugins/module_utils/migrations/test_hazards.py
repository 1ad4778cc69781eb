# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import hazards

COLUMNS = {"id": "bigint", "name": "character varying(20)", "size": "integer"}
FACTS = {"t": {"rows": 1000, "bytes": 50_000_000, "empty": False, "columns": COLUMNS}}
EMPTY = {"t": {**FACTS["t"], "rows": 0, "empty": True}}


def plan(*sql, unknown=""):
    return hazards.planned([{"migration": "shop.0002", "sql": list(sql), "unknown": unknown}])


def kinds(*sql, facts=None, used=None):
    return [hazard.kind for hazard in hazards.hazards(plan(*sql), facts or FACTS, used)]


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE INDEX i ON t (name)", "create_index"),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE (name)", "add_unique"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (size > 0)", "add_check"),
        ("ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (size) REFERENCES u (id)", "add_foreign_key"),
        ("ALTER TABLE t ALTER COLUMN name SET NOT NULL", "set_not_null"),
        ("ALTER TABLE t ALTER COLUMN size TYPE bigint", "change_type"),
        ("ALTER TABLE t ALTER COLUMN name TYPE varchar(10)", "change_type"),
        ("ALTER TABLE t ADD COLUMN x uuid DEFAULT gen_random_uuid()", "add_column"),
    ],
)
def test_work_under_a_lock_is_unsafe_where_there_are_rows(sql, kind):
    assert kinds(sql) == [kind]
    assert kinds(sql, facts=EMPTY) == []


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX CONCURRENTLY i ON t (name)",
        "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (size > 0) NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT c",
        "ALTER TABLE t ALTER COLUMN name TYPE varchar(30)",
        "ALTER TABLE t ALTER COLUMN name TYPE text",
        "ALTER TABLE t ADD COLUMN x int NULL",
        "ALTER TABLE t ADD COLUMN x int DEFAULT 3 NOT NULL",
        "CREATE INDEX i ON made (name)",
        "DROP TABLE made",
    ],
)
def test_what_is_safe(sql):
    assert kinds(sql) == []


def test_a_column_that_must_be_given_in_the_end():
    add = "ALTER TABLE t ADD COLUMN x int DEFAULT 3 NOT NULL"
    assert kinds(add, "ALTER TABLE t ALTER COLUMN x DROP DEFAULT") == ["not_null_without_default"]
    assert kinds("ALTER TABLE t ADD COLUMN x int NOT NULL", facts=EMPTY) == ["not_null_without_default"]
    assert kinds("ALTER TABLE t ADD COLUMN x int NOT NULL", used={"other": []}) == []
    assert kinds("ALTER TABLE made ADD COLUMN x int NOT NULL") == []


@pytest.mark.parametrize(
    ("sql", "used", "found"),
    [
        ("DROP TABLE t", None, ["drop_table"]),
        ("DROP TABLE t", {"t": ["id"]}, ["drop_table"]),
        ("DROP TABLE t", {"u": ["id"]}, []),
        ("ALTER TABLE t DROP COLUMN name", None, ["drop_column"]),
        ("ALTER TABLE t DROP COLUMN name", {"t": ["name"]}, ["drop_column"]),
        ("ALTER TABLE t DROP COLUMN name", {"t": ["id"]}, []),
        ("ALTER TABLE t RENAME TO u", {"t": ["id"]}, ["rename_table"]),
        ("ALTER TABLE t RENAME COLUMN name TO title", {"t": ["name"]}, ["rename_column"]),
    ],
)
def test_what_the_serving_release_uses_is_not_taken_away(sql, used, found):
    assert kinds(sql, used=used) == found
    assert hazards.uses(plan(sql))


def test_each_statement_is_described():
    described = hazards.described(plan("CREATE INDEX i ON t (name)", "SELECT 1", "DROP INDEX j"), FACTS)
    assert described[0]["seconds"] == 2.03
    assert [(each["lock"], each["tables"], each["work"]) for each in described[0]["statements"]] == [
        ("SHARE", ["t"], "build"),
        ("", [], "nothing"),
        ("ACCESS EXCLUSIVE", [], "nothing"),
    ]
    assert hazards.tables(plan("CREATE INDEX i ON t (name)", "DROP TABLE u")) == ["t", "u"]


FOUND = [hazards.Hazard("shop.0002", "create_index", "t", "nobody can write to t", "build it concurrently")]


def test_what_is_done_about_it():
    warned = ["shop.0002: nobody can write to t. Safer: build it concurrently."]
    assert hazards.check(FOUND, [{"seconds": 1.0}], "warn", 300.0) == warned
    assert hazards.check([], [{"seconds": 61.0}], "fail", 300.0) == ["The migrations may take 61 s."]
    assert hazards.check(FOUND, [{"seconds": 301.0}], "allow", 300.0) == []
    with pytest.raises(InvalidInput, match=r"nobody can write to t.*nothing has been changed"):
        hazards.check(FOUND, [{"seconds": 1.0}], "fail", 300.0)
    with pytest.raises(InvalidInput, match="may take 301 s"):
        hazards.check(FOUND, [{"seconds": 301.0}], "warn", 300.0)
