# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations forward with their ledger on a real PostgreSQL, which is asked afterwards."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.tests.integration.database.migrations.project import (
    FIRST,
    ITEM,
    LOG,
    NOTE,
    SECOND,
    THIRD,
)


@pytest.fixture
def three(shop):
    return shop.release("r1", m0001_item=ITEM, m0002_note=NOTE, m0003_log=LOG)


def test_targets_are_applied_in_order_and_written_down(shop, three):
    answer = shop.migrate(three, targets=[SECOND, THIRD], deployment="d1", version="v1")
    assert not answer["failed"], answer["msg"]
    assert [each["migration"] for each in answer["applied"]][-3:] == [FIRST, SECOND, THIRD]
    assert shop.recorded() == [FIRST, SECOND, THIRD]
    assert shop.ledger() == [("d1", name, True, False) for name in (FIRST, SECOND, THIRD)]
    assert set(shop.ledger("release, version, role, seconds > 0")) == {("r1", "v1", shop.role, True)}


def test_the_ledger_knows_the_schema_before_and_after_each(shop, three):
    shop.migrate(three, deployment="d1")
    prints = shop.ledger("schema_before, schema_after")
    assert all(before != after for before, after in prints)
    assert [after for _before, after in prints[:-1]] == [before for before, _after in prints[1:]]


def test_the_handlers_of_the_application_are_told(shop, three):
    """Content types are made by one."""
    shop.migrate(three)
    assert shop.sql("SELECT count(*) FROM django_content_type WHERE app_label = 'contenttypes'") == [(1,)]


def test_the_second_run_changes_nothing(shop, three):
    assert shop.migrate(three, deployment="d1")["changed"]
    before = shop.everything()
    answer = shop.migrate(three, deployment="d2")
    assert (answer["failed"], answer["changed"], answer["applied"]) == (False, False, [])
    assert shop.everything() == before


def test_a_target_that_the_database_is_ahead_of_unapplies_nothing(shop, three):
    shop.migrate(three)
    before = shop.everything()
    answer = shop.migrate(three, targets=[FIRST, SECOND])
    assert (answer["failed"], answer["changed"]) == (False, False)
    assert shop.everything() == before
    assert "note" in shop.columns()


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ([FIRST, FIRST], f"{FIRST} is listed twice"),
        ([THIRD, FIRST], f"{FIRST} is listed after {THIRD}, which needs it"),
        (["shop.0002_nite"], f"did you mean {SECOND}?"),
        (["shop.0000_initial"], "there is no migration shop.0000_initial"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(shop, three, targets, said):
    answer = shop.migrate(three, targets=targets)
    assert answer["failed"]
    assert said in answer["msg"]
    assert shop.sql("SELECT count(*) FROM pg_class WHERE relname ~ '^(shop|django|migration)'") == [(0,)]


def test_check_mode_applies_nothing_and_makes_no_ledger(shop, three):
    answer = shop.migrate(three, check=True)
    assert (answer["changed"], answer["applied"]) == (True, [])
    assert f"{SECOND}\n" in answer["diff"]["after"]
    assert shop.sql("SELECT count(*) FROM pg_class WHERE relname ~ '^(shop|django|migration)'") == [(0,)]


def test_a_role_that_may_not_make_the_ledger_is_told_who_can(shop, three):
    shop.cluster.sql("postgres", f'ALTER DATABASE "{shop.database}" OWNER TO postgres')
    shop.sql(f'GRANT CREATE ON SCHEMA public TO "{shop.role}"')
    answer = shop.migrate(three)
    assert answer["failed"]
    assert f"role {shop.role} may not create schema greenlight" in answer["msg"]
    command = f'CREATE SCHEMA greenlight AUTHORIZATION "{shop.role}"'
    assert command in answer["msg"]
    assert shop.sql("SELECT to_regclass('shop_item')") == [(None,)]
    shop.sql(command)
    assert not shop.migrate(three)["failed"]
    assert len(shop.ledger()) == 3


def test_other_applications_of_the_database_are_left_alone(shop, three):
    shop.migrate(three, deployment="d1")
    shop.sql("UPDATE greenlight.migration_ledger SET app = 'other'")
    answer = shop.reverse(three)
    assert (answer["failed"], answer["changed"]) == (False, False)
    assert shop.recorded() == [FIRST, SECOND, THIRD]


def test_another_kind_of_database_has_neither_lock_nor_ledger(shop, three):
    arguments = shop.arguments(three)["environment"]
    lite = {**arguments, "DATABASE_ENGINE": "django.db.backends.sqlite3", "DATABASE_NAME": str(shop.folder / "lite")}
    answer = shop.migrate(three, environment=lite)
    assert not answer["failed"], answer["msg"]
    assert [step["migration"] for step in answer["applied"]][-1] == THIRD
    assert not shop.migrate(three, environment=lite)["changed"]
    assert "no ledger in a database of sqlite" in shop.reverse(three, environment=lite)["msg"]
    assert shop.ledger_info(three, environment=lite)["rows"] == []
