# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Account
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger import FIELDS, Entry
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import Migration
from ansible_collections.greenlight.deploy.plugins.modules import django_migration, migration_ledger_info

FIRST = "core.0001_initial"
SECOND = "core.0002_index"
OTHER = "voice.0001_log"
ARGUMENTS = {"app": "shop", "release": "20261122T124500Z-1a2b3c4", "targets": [FIRST, SECOND]}


def entry(number, deployment, migration):
    given = {"id": number, "deployment": deployment, "migration": migration, "applied_at": "10:00", "reversible": True}
    return Entry(**{**dict.fromkeys(FIELDS, ""), **given})


@pytest.fixture
def database(monkeypatch):
    """A database whose first migration is applied; remembers what was asked, applied and undone."""
    seen = SimpleNamespace(
        graph={
            FIRST: Migration(FIRST, applied=True),
            SECOND: Migration(SECOND, (FIRST,), reversible=False),
            OTHER: Migration(OTHER),
        },
        vendor="postgresql",
        ledger=[],
        sql=['CREATE INDEX "i" ON "shop_item" ("name")'],
        facts={"shop_item": {"rows": 9, "bytes": 8192, "empty": False, "columns": {"name": "text"}}},
        models={"shop_item": ["name"]},
        recovered=[],
        applied=[],
        undone=[],
        requests=[],
        ended=0,
    )

    def forward(steps):
        for name in [name for step in steps for name in step]:
            seen.applied.append(name)
            yield {"kind": "applied", "migration": name, "seconds": 0.04}

    def backward(rows):
        for row in rows:
            seen.undone.append(row.migration)
            yield {"kind": "undone", "migration": row.migration, "seconds": 0.04}

    def recover(*, retry):
        seen.retry = retry
        return seen.recovered

    @contextmanager
    def converse(request, *, lock):
        seen.requests.append(request)
        seen.lock = lock
        try:
            yield SimpleNamespace(
                graph=lambda: seen.graph, forward=forward, backward=backward, recover=recover, waits=[],
                ledger=lambda: seen.ledger, vendor=seen.vendor, models=lambda: seen.models,
                facts=lambda tables: {name: seen.facts[name] for name in tables},
                inspect=lambda names, back: [{"migration": name, "sql": seen.sql, "unknown": ""} for name in names],
            )  # fmt: skip
        finally:
            seen.ended += 1

    for module in (django_migration, migration_ledger_info):
        monkeypatch.setattr(module, "converse", converse)
    monkeypatch.setattr(Account, "of", classmethod(lambda cls, name: Account(name, 999, 999)))
    return seen


def test_what_is_due_is_applied(run_module, database):
    result = run_module(django_migration, ARGUMENTS)
    assert (result["changed"], database.lock, database.ended) == (True, True, 1)
    assert database.applied == [SECOND]
    assert result["applied"] == [{"migration": SECOND, "seconds": 0.04}]
    assert result["plan"] == [{"target": FIRST, "migrations": []}, {"target": SECOND, "migrations": [SECOND]}]
    assert (result["not_listed"], result["irreversible"]) == ([OTHER], [SECOND])
    assert result["deployment"] == ARGUMENTS["release"]


def test_a_second_run_changes_nothing(run_module, database):
    database.graph[SECOND] = Migration(SECOND, (FIRST,), applied=True)
    result = run_module(django_migration, ARGUMENTS)
    assert (result["changed"], result["applied"], database.applied) == (False, [], [])


def test_a_ledger_that_was_brought_in_line_is_a_change(run_module, database):
    database.graph[SECOND] = Migration(SECOND, (FIRST,), applied=True)
    database.recovered = [SECOND]
    result = run_module(django_migration, {**ARGUMENTS, "unfinished": "retry"})
    assert (result["changed"], result["recovered"], database.retry) == (True, [SECOND], True)


def test_check_mode_plans_without_the_lock_and_applies_nothing(run_module, database):
    result = run_module(django_migration, ARGUMENTS, check=True, diff=True)
    assert (result["changed"], database.lock, database.applied) == (True, False, [])
    assert result["diff"]["after"] == f"{SECOND}\n"


def test_a_wrong_target_is_refused_before_anything_is_applied(run_module, database):
    result = run_module(django_migration, {**ARGUMENTS, "targets": [SECOND, "core.0002_indx"]})
    assert result.failed
    assert "did you mean core.0002_index?" in result["msg"]
    assert (database.applied, database.ended) == ([], 1)


def test_what_is_unsafe_is_refused_before_anything_is_applied(run_module, database):
    result = run_module(django_migration, {**ARGUMENTS, "unsafe": "fail"})
    assert result.failed
    assert "nobody can write to shop_item" in result["msg"]
    assert (database.applied, database.ended) == ([], 1)


def test_what_is_unsafe_can_be_allowed_without_a_look(run_module, database):
    database.sql = None
    assert run_module(django_migration, {**ARGUMENTS, "unsafe": "allow"})["hazards"] == []
    assert database.applied == [SECOND]


def test_the_serving_release_is_asked_what_it_uses(run_module, database, tmp_path):
    database.sql = ['ALTER TABLE "shop_item" DROP COLUMN "name"']
    arguments = {**ARGUMENTS, "serving": "20261121T090000Z-7f3c2aa", "root": str(tmp_path)}
    elsewhere = run_module(django_migration, arguments, check=True)
    assert "the release that serves may use shop_item.name" in elsewhere["hazards"][0]["says"]
    (tmp_path / "shop/releases/20261121T090000Z-7f3c2aa").mkdir(parents=True)
    result = run_module(django_migration, arguments)
    assert [hazard["kind"] for hazard in result["hazards"]] == ["drop_column"]
    assert "the release that serves uses shop_item.name" in str(result["warnings"])
    database.models, database.graph[SECOND] = {}, Migration(SECOND, (FIRST,))
    assert run_module(django_migration, arguments)["hazards"] == []


def test_another_kind_of_database_has_no_ledger_to_recover(run_module, database):
    database.vendor = "sqlite"
    assert run_module(django_migration, ARGUMENTS)["changed"]
    assert not hasattr(database, "retry")


@pytest.fixture
def undoable(database):
    database.graph[SECOND] = Migration(SECOND, (FIRST,), applied=True)
    database.ledger = [entry(1, "d1", FIRST), entry(2, "d2", SECOND)]
    return {**ARGUMENTS, "direction": "reverse", "targets": []}


def test_what_a_deployment_applied_is_undone(run_module, database, undoable):
    result = run_module(django_migration, undoable, diff=True)
    assert (result["changed"], result["deployment"], database.undone) == (True, "d2", [SECOND])
    assert result["plan"] == [{"target": SECOND, "migrations": [SECOND]}]
    assert result["applied"] == [{"migration": SECOND, "seconds": 0.04}]
    assert result["diff"]["before"] == f"{SECOND}\n"


def test_undoing_can_be_looked_at_first(run_module, database, undoable):
    result = run_module(django_migration, undoable, check=True)
    assert (result["changed"], database.undone, database.lock) == (True, [], False)


def test_what_the_release_that_serves_knows_is_not_undone(run_module, database, undoable):
    serving = {**undoable, "serving": "20261121T090000Z-7f3c2aa"}
    assert not run_module(django_migration, serving)["changed"]
    database.requests.clear()
    result = run_module(django_migration, {**serving, "deployment": "d2"})
    assert result.failed
    assert f"the release that serves needs {SECOND}" in result["msg"]
    assert [request.release.name for request in database.requests] == [ARGUMENTS["release"], "20261121T090000Z-7f3c2aa"]
    assert database.undone == []


def test_the_request_is_that_of_the_release(run_module, database):
    settings = {"environment": {"DJANGO_DEBUG": 0}, "secrets": {"DATABASE_URL": "postgres://hush"}}
    given = {"version": "v2", "colour": "green", "lock_timeout": 3, "tries": 4, "deployment": "d1"}
    run_module(django_migration, {**ARGUMENTS, **settings, **given})
    (request,) = database.requests
    assert request.release == Path("/opt/shop/releases/20261122T124500Z-1a2b3c4")
    assert (request.account.name, request.secrets) == ("shop", ("postgres://hush",))
    assert (request.terms.lock_timeout, request.terms.tries, request.terms.statement_timeout) == (3.0, 4, 900.0)
    assert (request.owner.deployment, request.owner.version, request.database) == ("d1", "v2", "default")
    assert request.environment["DATABASE_URL"] == "postgres://hush"
    assert request.environment["DJANGO_DEBUG"] == "0"
    assert request.environment["PGAPPNAME"] == "shop-green-20261122T124500Z-1a2b3c4"


def test_secrets_are_never_shown(run_module, database):
    class Leaky(dict):
        def values(self):
            raise CommandFailed("cannot connect to postgres://hush")

    database.graph = Leaky(database.graph)
    result = run_module(django_migration, {**ARGUMENTS, "targets": [], "secrets": {"DATABASE_URL": "postgres://hush"}})
    assert result.failed
    assert "hush" not in str(result.answer)


def test_the_ledger_can_be_read(run_module, database, undoable):
    arguments = {name: ARGUMENTS[name] for name in ("app", "release")}
    result = run_module(migration_ledger_info, arguments)
    assert (result["changed"], database.lock) == (False, False)
    assert [row["migration"] for row in result["rows"]] == [FIRST, SECOND]
    assert [each["deployment"] for each in result["deployments"]] == ["d2", "d1"]
    only = run_module(migration_ledger_info, {**arguments, "deployment": "d1"})
    assert [row["migration"] for row in only["rows"]] == [FIRST]
