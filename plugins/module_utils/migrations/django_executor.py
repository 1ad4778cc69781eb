# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applies and undoes Django migrations one by one, with a row of the ledger around each.

Runs inside a release, handed over by ``django.py``, on PostgreSQL only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
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
            with suppress(Exception):  # the database may be gone: why it failed says more, and the next run settles it
                self._failed(migration, schema, before, nothing_happened)
            raise
        return state, round(time.monotonic() - began, 3)

    def _failed(self, migration: Any, schema: str, before: Sequence[str], nothing_happened: Callable[[], None]) -> None:
        unchanged = catalogue.fingerprint(self._beside) == schema
        if unchanged:
            nothing_happened()
        self._tell("failed", migration=name_of(migration), **self._left([] if unchanged else before))

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


class Executor:
    """Django's executor with one reading of the files for all that a process does."""

    def __init__(self, connection: Any) -> None:
        from django.db.migrations.executor import MigrationExecutor

        self._connection = connection
        self._django = MigrationExecutor(connection)
        self.loader = self._django.loader

    def collect(self, names: Sequence[str], *, back: bool) -> list[dict[str, Any]]:
        """The statements of migrations without running them: ``{migration, sql: [text], unknown}`` each."""
        return self._collect_back(names) if back else self._collect_forward(names)

    def forward(self, session: Session, steps: Steps, names: Sequence[str]) -> None:
        """Apply ``names`` in their order, with Django's signals; RuntimeError when that is not an order to apply."""
        migrations = [self._node(name) for name in names]
        self._check_order(migrations)
        state, plan = self._state(), [(migration, False) for migration in migrations]
        self._send_before(state, plan)
        state = state.clone()
        with self._connection.execute_wrapper(session):
            self._django.recorder.ensure_schema()
            for migration in migrations:
                state = steps.apply(migration, partial(self._apply, state, migration))
        self._django.check_replacements()
        self._send_after(state, plan)
        steps.close()

    def backward(self, session: Session, steps: Steps, rows: Sequence[tuple[int, str]]) -> None:
        """Undo migrations, given with their rows, newest first, with Django's signals."""
        by_name = {name: row for row, name in rows}
        undo = self._django.unapply_migration

        def around(state: Any, migration: Any, **how: Any) -> Any:
            return steps.undo(by_name[name_of(migration)], migration, lambda: undo(state.clone(), migration, **how))

        self._django.unapply_migration = around
        plan = [(self._node(name), True) for _row, name in rows]
        self._send_before(self._state(), plan)
        with self._connection.execute_wrapper(session):
            state = self._django.migrate([], plan=plan)
        self._send_after(state, plan)

    def send_after_recovery(self) -> None:
        """Tell the application's handlers for a run that was killed before it came to that."""
        self._send_after(self._state(), [])

    def _node(self, name: str) -> Any:
        return self.loader.graph.nodes[tuple(name.split(".", 1))]

    def _state(self) -> Any:
        """What the models are with all that is applied."""
        return self._django._create_project_state(with_applied_migrations=True)

    def _apply(self, state: Any, migration: Any) -> Any:
        """An attempt gets a copy of the state: one that fails half-way has changed it."""
        return self._django.apply_migration(state.clone(), migration)

    def _check_order(self, migrations: Sequence[Any]) -> None:
        done = set(self.loader.applied_migrations)
        for migration in migrations:
            key = (migration.app_label, migration.name)
            missing = [parent.key for parent in self.loader.graph.node_map[key].parents if parent.key not in done]
            if missing or key in done:
                raise RuntimeError(f"{name_of(migration)} cannot be applied now: {missing or 'it is applied'}")
            done.add(key)

    def _collect_forward(self, names: Sequence[str]) -> list[dict[str, Any]]:
        state, collected = self._state(), []
        for name in names:
            migration, before = self._node(name), state.clone()
            try:
                with self._connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
                    state = migration.apply(state, editor, collect_sql=True)
                collected.append(_collected(name, editor.collected_sql))
            except Exception as error:  # noqa: BLE001 - it may need what the plan makes: to know less is no failure
                state = migration.mutate_state(before)
                collected.append({"migration": name, "sql": [], "unknown": f"{type(error).__name__}: {error}"})
        return collected

    def _collect_back(self, names: Sequence[str]) -> list[dict[str, Any]]:
        return [_collected(name, self.loader.collect_sql([(self._node(name), True)])) for name in names]

    def _send_before(self, state: Any, plan: Sequence[tuple[Any, bool]]) -> None:
        from django.core.management.sql import emit_pre_migrate_signal

        emit_pre_migrate_signal(0, False, self._connection.alias, apps=state.apps, plan=plan)  # noqa: FBT003

    def _send_after(self, state: Any, plan: Sequence[tuple[Any, bool]]) -> None:
        """Permissions and content types are made so; as Django's own command does it."""
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
        emit_post_migrate_signal(0, False, self._connection.alias, apps=rendered, plan=plan)  # noqa: FBT003


def _collected(name: str, texts: Sequence[str]) -> dict[str, Any]:
    python = any("CANNOT BE WRITTEN AS SQL" in text for text in texts)
    sql = [text for text in texts if not text.startswith("--")]
    return {"migration": name, "sql": sql, "unknown": "runs Python code of its own" if python else ""}
