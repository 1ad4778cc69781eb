# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.statements import (
    conflicting,
    quoted,
    read,
    split,
)

EXCLUSIVE, SHARE_ROW, SHARE_UPDATE = "ACCESS EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"


@pytest.mark.parametrize(
    ("sql", "kinds", "lock", "work"),
    [
        ('CREATE TABLE "t" ("id" bigint PRIMARY KEY, "x" int NOT NULL)', ["create_table"], "", "nothing"),
        ('DROP TABLE "t" CASCADE', ["drop_table"], EXCLUSIVE, "nothing"),
        ('CREATE INDEX "i" ON "t" ("x")', ["create_index"], "SHARE", "build"),
        ("create unique index concurrently i on t (x)", ["create_index_concurrently"], SHARE_UPDATE, "build"),
        ("DROP INDEX IF EXISTS i", ["drop_index"], EXCLUSIVE, "nothing"),
        ("DROP INDEX CONCURRENTLY IF EXISTS i", ["drop_index_concurrently"], SHARE_UPDATE, "nothing"),
        ("REINDEX INDEX CONCURRENTLY i", ["reindex_concurrently"], SHARE_UPDATE, "build"),
        ('ALTER TABLE "t" ADD COLUMN "x" integer NULL', ["add_column"], EXCLUSIVE, "nothing"),
        ('ALTER TABLE "t" ADD COLUMN "x" uuid DEFAULT gen_random_uuid()', ["add_column"], EXCLUSIVE, "rewrite"),
        ('ALTER TABLE "t" ADD COLUMN "x" integer UNIQUE', ["add_column"], EXCLUSIVE, "build"),
        ('ALTER TABLE "t" ADD COLUMN "a" int, DROP COLUMN "b"', ["add_column", "drop_column"], EXCLUSIVE, "nothing"),
        ('ALTER TABLE "t" ALTER COLUMN "x" TYPE bigint USING "x"::bigint', ["change_type"], EXCLUSIVE, "rewrite"),
        ('ALTER TABLE "t" ALTER COLUMN "x" SET NOT NULL', ["set_not_null"], EXCLUSIVE, "scan"),
        ('ALTER TABLE "t" ALTER COLUMN "x" DROP DEFAULT', ["drop_default"], EXCLUSIVE, "nothing"),
        ('ALTER TABLE "t" RENAME TO "u"', ["rename_table"], EXCLUSIVE, "nothing"),
        ('ALTER TABLE "t" RENAME COLUMN "a" TO "b"', ["rename_column"], EXCLUSIVE, "nothing"),
        ('ALTER TABLE "t" ADD CONSTRAINT "c" CHECK ("x" > 0)', ["add_check"], EXCLUSIVE, "scan"),
        ('ALTER TABLE "t" ADD CONSTRAINT "c" CHECK ("x" > 0) NOT VALID', ["add_check"], EXCLUSIVE, "nothing"),
        ('ALTER TABLE "t" VALIDATE CONSTRAINT "c"', ["validate_constraint"], SHARE_UPDATE, "scan"),
        ('ALTER TABLE "t" ADD CONSTRAINT "c" UNIQUE ("a", "b")', ["add_unique"], EXCLUSIVE, "build"),
        ('ALTER TABLE "t" ADD CONSTRAINT "c" UNIQUE USING INDEX "i"', ["add_unique"], EXCLUSIVE, "nothing"),
        ('ALTER TABLE "t" CLUSTER ON "i"', ["alter_table"], EXCLUSIVE, "nothing"),
        ("UPDATE t SET a = 1", ["update"], "ROW EXCLUSIVE", "scan"),
        ("SELECT 1", ["read"], "", "nothing"),
        ("DO $$ BEGIN ALTER TABLE t; END $$", ["other"], "", "nothing"),
    ],
)
def test_what_a_statement_does(sql, kinds, lock, work):
    (statement,) = read(sql)
    assert [action.kind for action in statement.actions] == kinds
    assert (statement.lock, statement.actions[0].work) == (lock, work)


def test_a_foreign_key_locks_both_tables():
    (statement,) = read('ALTER TABLE "a" ADD CONSTRAINT "k" FOREIGN KEY ("b_id") REFERENCES "B" ("id") DEFERRABLE')
    assert statement.tables() == {"a": SHARE_ROW, "B": SHARE_ROW}
    assert statement.actions[0].work == "scan"


def test_the_strongest_lock_on_a_table_counts():
    (statement,) = read("ALTER TABLE t VALIDATE CONSTRAINT c, DROP COLUMN x")
    assert statement.tables() == {"t": EXCLUSIVE}


def test_names_are_as_postgresql_knows_them():
    (statement,) = read('CREATE INDEX CONCURRENTLY IF NOT EXISTS "My""Index" ON Public."Order" (x)')
    assert (statement.index, statement.actions[0].table, statement.concurrent) == ('My"Index', "public.Order", True)
    assert quoted("public.Order") == '"public"."Order"'


def test_an_index_may_have_no_name():
    (statement,) = read("CREATE INDEX ON t (x)")
    assert (statement.index, statement.tables()) == ("", {"t": "SHARE"})


def test_text_is_parted_outside_of_quotes_only():
    text = "UPDATE t SET a = 'x;--y'; -- a comment; \nSELECT $q$ ; $q$, \"a;b\" /* ; */; SELECT f(1;2)"
    assert [" ".join(part.split()) for part in split(text, ";")] == [
        "UPDATE t SET a = 'x;--y'",
        'SELECT $q$ ; $q$, "a;b"',
        "SELECT f(1;2)",
    ]


def test_what_stands_against_a_lock():
    assert conflicting("ACCESS EXCLUSIVE")[0] == "AccessShareLock"
    assert len(conflicting("ACCESS EXCLUSIVE")) == 8
    assert conflicting("SHARE") == [
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ]
