# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applies and undoes Django migrations one by one, with a row of the ledger around each.

Runs inside a release, handed over by ``django.py``, on PostgreSQL only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import catalogue
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.catalogue import Query
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.django_session import Session, Tell
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger_table import LedgerTable

SHOWN_OBJECTS = 20


@dataclass(frozen=True)
class Done:
    """A migration that is applied and whose row does not say so yet."""

    row: int
    name: str
    seconds: float


class Steps:
    """Each migration: its row begins, it is applied in one transaction with Django's own record, its row ends."""

    def __init__(self, connection: Any, session: Session, ledger: LedgerTable, beside: Query, tell: Tell) -> None:
        self._connection = connection
        self._session = session
        self._ledger = ledger
        self._beside = beside
        self._tell = tell
        self._done: Done | None = None

    def apply(self, migration: Any, run: Callable[[], Any]) -> Any:
        """Apply one."""
        schema = self.close()
        name = name_of(migration)
        reversible = all(operation.reversible for operation in migration.operations)
        row = self._ledger.begin(name, reversible=reversible, schema=schema)
        state, seconds = self._run(migration, run, schema, lambda: self._ledger.forget(row))
        self._done = Done(row, name, seconds)
        return state

    def undo(self, row: int, migration: Any, run: Callable[[], Any]) -> Any:
        """Undo one."""
        state, seconds = self._run(migration, run, catalogue.fingerprint(self._beside), lambda: None)
        self._ledger.undone(row)
        self._tell("undone", migration=name_of(migration), seconds=seconds)
        return state

    def close(self) -> str:
        """Write that the last one is applied; the fingerprint of the schema."""
        schema = catalogue.fingerprint(self._beside)
        if self._done:
            self._ledger.applied(self._done.row, seconds=self._done.seconds, schema=schema)
            self._tell("applied", migration=self._done.name, seconds=self._done.seconds)
            self._done = None
        return schema

    def _run(
        self, migration: Any, run: Callable[[], Any], schema: str, nothing_happened: Callable[[], None]
    ) -> tuple[Any, float]:
        before = [] if migration.atomic else catalogue.objects(self._beside)
        began = time.monotonic()
        try:
            state = self._session.patiently(lambda: self._at_once(run)) if migration.atomic else run()
        except Exception:
            if catalogue.fingerprint(self._beside) == schema:
                nothing_happened()
                before = []
            self._tell("failed", migration=name_of(migration), **self._left(before))
            raise
        return state, round(time.monotonic() - began, 3)

    def _at_once(self, run: Callable[[], Any]) -> Any:
        """All or nothing, with Django's record of it."""
        from django.db import transaction

        with transaction.atomic(using=self._connection.alias):
            return run()

    def _left(self, before: Sequence[str]) -> dict[str, list[str]]:
        """What a migration that failed left behind."""
        now = catalogue.objects(self._beside) if before else []
        changed = [f"+ {line}" for line in now if line not in set(before)]
        changed += [f"- {line}" for line in before if line not in set(now)]
        return {"changed": changed[:SHOWN_OBJECTS], "invalid": catalogue.invalid_indexes(self._beside)}


def name_of(migration: Any) -> str:
    """A migration's name as we write it."""
    return f"{migration.app_label}.{migration.name}"


def forward(connection: Any, session: Session, steps: Steps, names: Sequence[str]) -> None:
    """Apply ``names``, one plan of Django's with its signals; what the plan holds beyond them is an error."""
    executor = _executor(connection, steps.apply)
    plan = executor.migration_plan([tuple(names[-1].split(".", 1))])
    backwards = [name_of(migration) for migration, back in plan if back]
    if backwards or {name_of(migration) for migration, _back in plan} != set(names):
        raise RuntimeError(f"Django plans {[name_of(migration) for migration, _back in plan]} instead of {list(names)}")
    _migrate(connection, session, executor, plan)
    steps.close()


def backward(connection: Any, session: Session, steps: Steps, rows: Sequence[tuple[int, str]]) -> None:
    """Undo migrations, given with their rows, newest first, one plan of Django's with its signals."""
    by_name = {name: row for row, name in rows}
    executor = _executor(connection, lambda migration, run: steps.undo(by_name[name_of(migration)], migration, run))
    nodes = executor.loader.graph.nodes
    plan = [(nodes[tuple(name.split(".", 1))], True) for _row, name in rows]
    _migrate(connection, session, executor, plan)


def collect(connection: Any, names: Sequence[str], *, back: bool) -> list[dict[str, Any]]:
    """The statements of migrations without running them: ``{migration, sql: [text], unknown}`` each."""
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection)
    return [
        {"migration": name, **_collected(loader, loader.graph.nodes[tuple(name.split(".", 1))], back)} for name in names
    ]


def _collected(loader: Any, migration: Any, back: bool) -> dict[str, Any]:  # noqa: FBT001
    try:
        texts = loader.collect_sql([(migration, back)])
    except Exception as error:  # noqa: BLE001 - it may need what the plan makes before it: to know less is no failure
        return {"sql": [], "unknown": f"{type(error).__name__}: {error}"}
    python = any("CANNOT BE WRITTEN AS SQL" in text for text in texts)
    sql = [text for text in texts if not text.startswith("--")]
    return {"sql": sql, "unknown": "runs Python code of its own" if python else ""}


Hook = Callable[[Any, Callable[[], Any]], Any]


def _executor(connection: Any, around: Hook) -> Any:
    """Django's executor with ``around`` around each migration.

    An attempt gets a copy of the state: one that fails half-way has changed it.
    """
    from django.db.migrations.executor import MigrationExecutor

    class Executor(MigrationExecutor):  # type: ignore[misc]  # Django is not there when we are checked
        def apply_migration(self, state: Any, migration: Any, **how: bool) -> Any:
            attempt = super().apply_migration
            return around(migration, lambda: attempt(state.clone(), migration, **how))

        def unapply_migration(self, state: Any, migration: Any, **how: bool) -> Any:
            attempt = super().unapply_migration
            return around(migration, lambda: attempt(state.clone(), migration, **how))

    return Executor(connection)


def _migrate(connection: Any, session: Session, executor: Any, plan: list[tuple[Any, bool]]) -> None:
    """As Django's own command does it: the signal of before, the plan, the signal of after."""
    from django.core.management.sql import emit_pre_migrate_signal

    state = executor._create_project_state(with_applied_migrations=True)
    emit_pre_migrate_signal(0, False, connection.alias, apps=state.apps, plan=plan)  # noqa: FBT003
    with connection.execute_wrapper(session):
        after = executor.migrate([], plan=plan, state=None if plan[0][1] else state.clone())
    send_after(connection, after, plan)


def send_after(connection: Any, state: Any, plan: list[tuple[Any, bool]]) -> None:
    """Tell the application's handlers that the database was migrated (permissions and content types are made so)."""
    from django.apps import apps
    from django.core.management.sql import emit_post_migrate_signal
    from django.db.migrations.state import ModelState

    state.clear_delayed_apps_cache()
    rendered = state.apps
    with rendered.bulk_update():
        real = [(model.app_label, model.name_lower) for model in rendered.real_models]
        for key in real:
            rendered.unregister_model(*key)
    rendered.render_multiple([ModelState.from_model(apps.get_model(*key)) for key in real])
    emit_post_migrate_signal(0, False, connection.alias, apps=rendered, plan=plan)  # noqa: FBT003


def send_after_recovery(connection: Any) -> None:
    """The same for a run that was killed before it came to that."""
    from django.db.migrations.executor import MigrationExecutor

    send_after(connection, MigrationExecutor(connection)._create_project_state(with_applied_migrations=True), [])
