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
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import Migration
from ansible_collections.greenlight.deploy.plugins.modules import django_migration

FIRST = "core.0001_initial"
SECOND = "core.0002_index"
OTHER = "voice.0001_log"
ARGUMENTS = {"app": "shop", "release": "20261122T124500Z-1a2b3c4", "targets": [FIRST, SECOND]}


@pytest.fixture
def database(monkeypatch):
    """A database whose first migration is applied; remembers what was asked and applied."""
    seen = SimpleNamespace(
        graph={
            FIRST: Migration(FIRST, applied=True),
            SECOND: Migration(SECOND, (FIRST,), reversible=False),
            OTHER: Migration(OTHER),
        },
        invalid=[],
        applied=[],
        ended=False,
    )

    def apply(targets):
        for target in targets:
            seen.applied.append(target)
            yield {"kind": "applied", "target": target, "seconds": 0.04}
        yield {"kind": "end", "invalid_indexes": seen.invalid}

    @contextmanager
    def converse(request, *, lock):
        seen.request, seen.lock = request, lock
        try:
            yield SimpleNamespace(graph=lambda: seen.graph, apply=apply)
        finally:
            seen.ended = True

    monkeypatch.setattr(django_migration, "converse", converse)
    monkeypatch.setattr(Account, "of", classmethod(lambda cls, name: Account(name, 999, 999)))
    return seen


def test_what_is_due_is_applied(run_module, database):
    result = run_module(django_migration, ARGUMENTS)
    assert (result["changed"], database.lock, database.ended) == (True, True, True)
    assert database.applied == [SECOND]
    assert result["applied"] == [{"target": SECOND, "seconds": 0.04}]
    assert result["plan"] == [{"target": FIRST, "migrations": []}, {"target": SECOND, "migrations": [SECOND]}]
    assert (result["not_listed"], result["irreversible"]) == ([OTHER], [SECOND])


def test_a_second_run_changes_nothing(run_module, database):
    database.graph[SECOND] = Migration(SECOND, (FIRST,), applied=True)
    result = run_module(django_migration, ARGUMENTS)
    assert (result["changed"], result["applied"], database.applied) == (False, [], [])


def test_check_mode_plans_without_the_lock_and_applies_nothing(run_module, database):
    result = run_module(django_migration, ARGUMENTS, check=True, diff=True)
    assert (result["changed"], database.lock, database.applied) == (True, False, [])
    assert result["diff"]["after"] == f"{SECOND}\n"


def test_a_wrong_target_is_refused_before_anything_is_applied(run_module, database):
    result = run_module(django_migration, {**ARGUMENTS, "targets": [SECOND, "core.0002_indx"]})
    assert result.failed
    assert "did you mean core.0002_index?" in result["msg"]
    assert (database.applied, database.ended) == ([], True)


def test_an_index_that_is_not_valid_afterwards_fails(run_module, database):
    database.invalid = ["shop_item_name_idx"]
    result = run_module(django_migration, ARGUMENTS)
    assert result.failed
    assert "indexes are not valid: shop_item_name_idx" in result["msg"]
    assert "REINDEX INDEX CONCURRENTLY" in result["msg"]


def test_the_request_is_that_of_the_release(run_module, database):
    settings = {"environment": {"DJANGO_DEBUG": 0}, "secrets": {"DATABASE_URL": "postgres://hush"}}
    run_module(django_migration, {**ARGUMENTS, **settings, "version": "v2", "colour": "green", "lock_timeout": 3})
    request = database.request
    assert request.release == Path("/opt/shop/releases/20261122T124500Z-1a2b3c4")
    assert (request.account.name, request.secrets) == ("shop", ("postgres://hush",))
    assert (request.lock_timeout, request.statement_timeout, request.database) == (3.0, 900.0, "default")
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
