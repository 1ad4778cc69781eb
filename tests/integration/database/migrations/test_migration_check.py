# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What check mode says of a plan on a real PostgreSQL, and what is refused as unsafe."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.tests.integration.database.migrations.project import (
    FIRST,
    ITEM,
    LOG,
    NOTE,
    SECOND,
    THIRD,
    add_field,
)

INDEX = 'migrations.AddIndex("item", models.Index(fields=["name"], name="item_name"))'
CONCURRENT = 'AddIndexConcurrently("item", models.Index(fields=["name"], name="item_name"))'
REQUIRED = 'migrations.AddField("item", "size", models.IntegerField(default=1))'
KEPT_DEFAULT = 'migrations.AddField("item", "size", models.IntegerField(db_default=1))'
TYPE = 'migrations.AlterField("item", "name", models.IntegerField())'
WIDER = 'migrations.AlterField("item", "name", models.CharField(max_length=30))'
DROP = 'migrations.RemoveField("item", "name")'
RENAME = 'migrations.RenameField("item", "name", "title")'
PYTHON = "migrations.RunPython(migrations.RunPython.noop)"
UNIQUE = 'migrations.AddConstraint("item", models.UniqueConstraint(fields=["name"], name="once"))'
MODELS = """
from django.db import models
class Item(models.Model):
    name = models.CharField(max_length=20)
"""
OTHER_MODELS = MODELS.replace("name =", "title =")


@pytest.fixture
def serving(shop):
    """The first release serves, and its table has rows."""
    shop.release("r1", m0001_item=ITEM)
    assert not shop.migrate("r1", deployment="d1")["failed"]
    shop.sql("INSERT INTO shop_item (name) SELECT 'item ' || n FROM generate_series(1, 1000) n; ANALYZE shop_item")
    (shop.folder / "shop/releases/r1/shop/models.py").write_text(MODELS)
    return shop


def second(shop, operations, atomic=True):
    return shop.release("r2", m0001_item=ITEM, m0002_note={"operations": operations, "atomic": atomic})


def test_check_mode_says_what_would_happen(serving):
    answer = serving.migrate(second(serving, NOTE), check=True)
    assert not answer["failed"], answer["msg"]
    (planned,) = answer["migrations"]
    (statement,) = planned["statements"]
    assert (planned["migration"], planned["unknown"]) == (SECOND, "")
    assert statement["sql"].startswith('ALTER TABLE "shop_item" ADD COLUMN "note" text NULL')
    assert (statement["lock"], statement["tables"]) == ("ACCESS EXCLUSIVE", ["shop_item"])
    size = serving.sql("SELECT pg_total_relation_size('shop_item')")[0][0]
    assert answer["tables"] == {"shop_item": {"rows": 1000, "bytes": size, "empty": False}}
    assert (answer["hazards"], answer["irreversible"]) == ([], [])
    assert 0 < planned["seconds"] < 1


def test_what_the_plan_makes_itself_is_locked_by_nobody_else(serving):
    answer = serving.migrate(
        second(serving, f"{LOG}, migrations.AddIndex('log', models.Index(fields=['text'], name='x'))"), check=True
    )
    statements = answer["migrations"][0]["statements"]
    assert [statement["lock"] for statement in statements] == ["", ""]
    assert answer["hazards"] == []


def test_python_code_is_not_run_and_said_so(serving):
    answer = serving.migrate(second(serving, f"{NOTE}, {PYTHON}"), check=True)
    assert answer["migrations"][0]["unknown"] == "runs Python code of its own"


def test_the_way_back_can_be_looked_at_too(serving):
    serving.migrate(second(serving, NOTE), deployment="d2")
    answer = serving.reverse("r2", check=True)
    assert answer["migrations"][0]["statements"][0]["sql"].startswith('ALTER TABLE "shop_item" DROP COLUMN "note"')


@pytest.mark.parametrize(
    ("operations", "kind", "said"),
    [
        (INDEX, "create_index", "nobody can write to shop_item (some 1000 rows) while the index is built"),
        (UNIQUE, "add_unique", "while the index of the constraint is built"),
        (REQUIRED, "not_null_without_default", "cannot insert into shop_item any more, since size must be given"),
        (TYPE, "change_type", "is written anew for the type of name"),
        (DROP, "drop_column", "the release that serves uses shop_item.name, which it drops"),
        (RENAME, "rename_column", "the release that serves uses shop_item.name, which it renames"),
    ],
)
def test_what_is_unsafe_is_warned_of_or_refused(serving, operations, kind, said):
    release, before = second(serving, operations), serving.everything()
    looked = serving.migrate(release, check=True, serving="r1")
    assert [hazard["kind"] for hazard in looked["hazards"]] == [kind]
    assert said in looked["hazards"][0]["says"]
    assert said in str(looked["warnings"])
    answer = serving.migrate(release, serving="r1", unsafe="fail")
    assert answer["failed"]
    assert said in answer["msg"]
    assert serving.everything() == before


@pytest.mark.parametrize(
    ("operations", "atomic"),
    [(NOTE, True), (CONCURRENT, False), (KEPT_DEFAULT, True), (WIDER, True), (add_field("x"), True)],
)
def test_what_is_safe_is_applied(serving, operations, atomic):
    answer = serving.migrate(second(serving, operations, atomic), serving="r1", unsafe="fail")
    assert not answer["failed"], answer["msg"]
    assert serving.recorded() == [FIRST, SECOND]


def test_an_empty_table_may_be_indexed(serving):
    serving.sql("TRUNCATE shop_item")
    assert not serving.migrate(second(serving, INDEX), serving="r1", unsafe="fail")["failed"]


def test_what_the_serving_release_does_without_may_be_dropped(serving):
    (serving.folder / "shop/releases/r1/shop/models.py").write_text(OTHER_MODELS)
    assert not serving.migrate(second(serving, DROP), serving="r1", unsafe="fail")["failed"]


def test_without_a_serving_release_everything_may_be_used(serving):
    answer = serving.migrate(second(serving, DROP), unsafe="fail")
    assert "the release that serves may use shop_item.name" in answer["msg"]


def test_unsafe_things_can_be_allowed(serving):
    answer = serving.migrate(second(serving, INDEX), unsafe="allow")
    assert (answer["failed"], answer["hazards"]) == (False, [])
    assert serving.recorded() == [FIRST, SECOND]


def test_a_plan_that_takes_long_is_refused(serving):
    release = second(serving, INDEX)
    answer = serving.migrate(release, longest=0.001)
    assert "the plan may take 0 s" in answer["msg"]
    assert serving.recorded() == [FIRST]
    assert not serving.migrate(release, longest=0.001, unsafe="allow")["failed"]


def test_a_plan_of_several_migrations_is_shown_in_order(serving):
    serving.release("r2", m0001_item=ITEM, m0002_note=NOTE, m0003_log=LOG)
    answer = serving.migrate("r2", check=True)
    assert [each["migration"] for each in answer["migrations"]] == [SECOND, THIRD]
