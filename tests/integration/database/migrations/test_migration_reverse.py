# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Undoing what a deployment applied, by its ledger, on a real PostgreSQL, which is asked afterwards."""

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

FOURTH = "shop.0004_colour"


@pytest.fixture
def deployed(shop):
    """The first deployment brought one migration, the second two more; the code of both is there."""
    shop.release("r1", m0001_item=ITEM)
    shop.release("r2", m0001_item=ITEM, m0002_note=NOTE, m0003_log=LOG)
    assert not shop.migrate("r1", deployment="d1")["failed"]
    assert not shop.migrate("r2", deployment="d2", version="v2")["failed"]
    return shop


def test_exactly_what_the_deployment_applied_is_undone(deployed):
    shop = deployed
    answer = shop.reverse("r2", "d2", serving="r1")
    assert not answer["failed"], answer["msg"]
    assert [each["migration"] for each in answer["applied"]] == [THIRD, SECOND]
    assert shop.recorded() == [FIRST]
    assert shop.columns() == ["id", "name"]
    assert shop.ledger()[-3:] == [("d1", FIRST, True, False), ("d2", SECOND, True, True), ("d2", THIRD, True, True)]


def test_the_schema_is_what_it_was_before(deployed):
    before = deployed.ledger("schema_before")[-2]
    deployed.reverse("r2", "d2")
    deployed.release("r3", m0001_item=ITEM, m0002_other=add_field("other"))
    deployed.migrate("r3", deployment="d3")
    assert deployed.ledger("schema_before")[-1] == before


@pytest.mark.parametrize("deployment", ["", "d2"])
def test_the_second_run_changes_nothing(deployed, deployment):
    assert deployed.reverse("r2", deployment)["changed"]
    before = deployed.everything()
    answer = deployed.reverse("r2", deployment)
    assert (answer["failed"], answer["changed"], answer["applied"]) == (False, False, [])
    assert deployed.everything() == before


def test_it_goes_back_to_what_the_serving_release_needs_and_no_further(deployed):
    """One deployment in each run, the newest first."""
    shop = deployed
    shop.release("r3", m0001_item=ITEM, m0002_note=NOTE, m0003_log=LOG, m0004_colour=add_field("colour"))
    shop.migrate("r3", deployment="d3")
    undone = [shop.reverse("r3", serving="r1") for _run in range(3)]
    assert [answer["changed"] for answer in undone] == [True, True, False]
    assert [answer["deployment"] for answer in undone] == ["d3", "d2", "d1"]
    assert shop.recorded() == [FIRST]


def test_check_mode_undoes_nothing(deployed):
    before = deployed.everything()
    answer = deployed.reverse("r2", check=True)
    assert (answer["changed"], answer["applied"], answer["deployment"]) == (True, [], "d2")
    assert [step["target"] for step in answer["plan"]] == [THIRD, SECOND]
    assert deployed.everything() == before


@pytest.mark.parametrize(
    ("release", "deployment", "options", "said"),
    [
        ("r2", "d1", {}, f"d2 applied {SECOND}, {THIRD} after it"),
        ("r2", "d9", {}, "the ledger has no migrations of deployment d9. Expected: one of d2, d1"),
        ("r1", "d2", {}, f"release r1: has no {THIRD}, {SECOND}. Expected: the release that applied them, r2"),
        ("r2", "d2", {"serving": "r2"}, f"the release that serves needs {THIRD}, {SECOND}"),
    ],
)
def test_what_must_not_be_undone_is_refused(deployed, release, deployment, options, said):
    before = deployed.everything()
    answer = deployed.reverse(release, deployment, **options)
    assert answer["failed"]
    assert said in answer["msg"]
    assert deployed.everything() == before


def test_an_irreversible_step_is_refused_before_anything_is_undone(deployed):
    shop = deployed
    operations = "migrations.RunPython(lambda apps, editor: None)"
    shop.release("r3", m0001_item=ITEM, m0002_note=NOTE, m0003_log=LOG, m0004_colour=operations, m0005_x=add_field("x"))
    assert shop.migrate("r3", deployment="d3")["irreversible"] == [FOURTH]
    before = shop.everything()
    answer = shop.reverse("r3", "d3")
    assert answer["failed"]
    assert f"{FOURTH} cannot be undone" in answer["msg"]
    assert "leave the schema as it is and take only the code back" in answer["msg"]
    assert shop.everything() == before


def test_something_else_that_depends_on_it_is_not_undone_too(deployed):
    """Somebody has migrated by hand: the ledger knows nothing of it, Django's record does."""
    shop = deployed
    audit = {"app": "audit", "operations": LOG, "dependencies": [("shop", "0003_log")]}
    shop.release("r3", m0001_item=ITEM, m0002_note=NOTE, m0003_log=LOG, audit_0001_log=audit)
    shop.sql("INSERT INTO django_migrations (app, name, applied) VALUES ('audit', '0001_log', now())")
    before = shop.everything()
    answer = shop.reverse("r3", "d2")
    assert answer["failed"]
    assert "audit.0001_log depends on them" in answer["msg"]
    assert shop.everything() == before


def test_what_was_undone_can_be_applied_and_undone_again(deployed):
    shop = deployed
    shop.reverse("r2", "d2")
    assert shop.migrate("r2", deployment="d3")["changed"]
    assert shop.reverse("r2")["deployment"] == "d3"
    assert shop.recorded() == [FIRST]


def test_what_was_undone_by_hand_is_seen(deployed):
    shop = deployed
    shop.sql("DROP TABLE shop_log; DELETE FROM django_migrations WHERE name = '0003_log'")
    answer = shop.reverse("r2", "d2")
    assert not answer["failed"], answer["msg"]
    assert answer["recovered"] == [THIRD]
    assert [each["migration"] for each in answer["applied"]] == [SECOND]
    assert shop.ledger("recovered")[-2:] == [(False,), (True,)]


def test_the_ledger_can_be_read(deployed):
    answer = deployed.ledger_info("r1")
    assert not answer["failed"], answer["msg"]
    newest = answer["deployments"][0]
    assert (newest["deployment"], newest["release"], newest["stands"]) == ("d2", "r2", [SECOND, THIRD])
    assert newest["sentence"] == f"d2 (v2) applied {SECOND}, {THIRD}"
    assert {row["deployment"] for row in answer["rows"]} == {"d1", "d2"}
    assert {row["deployment"] for row in deployed.ledger_info("r1", deployment="d1")["rows"]} == {"d1"}


def test_where_there_is_no_ledger_it_is_empty(shop):
    shop.release("r1", m0001_item=ITEM)
    answer = shop.ledger_info("r1")
    assert (answer["failed"], answer["rows"], answer["deployments"]) == (False, [], [])
    assert not shop.sql("SELECT 1 FROM pg_namespace WHERE nspname = 'greenlight'")
