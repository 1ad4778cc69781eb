# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs inside a release, with its own interpreter and Django, as one process for a whole plan.

It speaks in lines of JSON, each behind MARK so that what an application prints does not disturb: it tells the state
of the migrations, then does what standard input asks for, one command a line, and tells how each went.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import catalogue
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.django_executor import Executor, Steps
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.django_session import (
    Locked,
    Session,
    calm,
    query_of,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger import Entry, recovery, unfinished
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger_table import LedgerTable, Owner
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.waiting import Terms

MARK = "@greenlight "
Command = dict[str, Any]


def tell(kind: str, **content: object) -> None:
    """Say one thing to the module that started us."""
    sys.stdout.write(MARK + json.dumps({"kind": kind, **content}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Tell the state, then do what standard input asks for."""
    request = json.loads(sys.stdin.readline())
    sys.path.insert(0, str(Path.cwd()))
    try:
        import django

        django.setup()
        from django.db import connections

        connection = connections[request["database"]]
        process = (OnPostgres if connection.vendor == "postgresql" else Elsewhere)(connection, request)
        tell("state", vendor=connection.vendor, **state(process.loader))
        for line in sys.stdin:
            command = json.loads(line)
            process.commands[command.pop("do")](**command)
    except Locked:
        tell("locked")
    except GreenlightError as error:
        tell("refused", error=type(error).__name__, **error.as_dict())
    except Exception as error:  # whatever it is, the module tells it to the operator
        tell("error", error=f"{type(error).__name__}: {error}".strip())
        raise


def state(loader: Any) -> dict[str, object]:
    """Every migration of the graph as plain data, and those that are applied but of which this code knows nothing."""
    conflicts = loader.detect_conflicts()
    if conflicts:
        named = "; ".join(f"{app}: {', '.join(names)}" for app, names in conflicts.items())
        raise RuntimeError(f"conflicting leaf migrations ({named}); merge them with makemigrations --merge")
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    known = {*loader.disk_migrations, *replaced}
    migrations = [
        {
            "name": ".".join(key),
            "dependencies": [".".join(parent.key) for parent in sorted(node.parents)],
            "applied": key in loader.applied_migrations,
            "atomic": loader.graph.nodes[key].atomic,
            "reversible": all(operation.reversible for operation in loader.graph.nodes[key].operations),
            "operations": [operation.describe() for operation in loader.graph.nodes[key].operations],
        }
        for key, node in loader.graph.node_map.items()
    ]
    unknown = sorted(".".join(key) for key in loader.applied_migrations if key not in known)
    return {"migrations": migrations, "unknown": unknown}


def models() -> None:
    """Tell which tables and columns the code uses."""
    from django.apps import apps

    used: dict[str, set[str]] = {}
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        used.setdefault(meta.db_table, set()).update(field.column for field in meta.local_concrete_fields)
    tell("models", tables={table: sorted(columns) for table, columns in used.items()})


class OnPostgres:
    """What can be asked of a process whose database is PostgreSQL."""

    def __init__(self, connection: Any, request: Command) -> None:
        from django.db.backends.signals import connection_created

        self._connection = connection
        self._owner = Owner(**request["owner"])
        other = connection.copy()
        other.settings_dict.get("OPTIONS", {}).pop("pool", None)
        self._other, self._beside = other, query_of(other)
        self._session = Session(connection, self._beside, Terms(**request["terms"]), tell)
        wait = request["lock_wait"] if request["lock"] else None
        self._hook = lambda connection, **_named: self._created(connection, wait)
        connection_created.connect(self._hook)
        connection.ensure_connection()
        self._executor = Executor(connection)
        self.loader = self._executor.loader
        self._ledger = LedgerTable(self._beside, self._owner)
        self.commands: dict[str, Callable[..., None]] = {
            "inspect": self._inspect, "facts": self._facts, "models": models, "ledger": self._tell_ledger,
            "recover": self._recover, "forward": self._forward, "backward": self._backward,
        }  # fmt: skip

    def _created(self, connection: Any, wait: float | None) -> None:
        """Whenever the connection that migrates is made, also again."""
        if connection is self._connection:
            self._session.connected(wait)
        elif connection is self._other:
            calm(self._beside)

    def _tell_ledger(self) -> None:
        tell("ledger", rows=[vars(entry) for entry in self._ledger.entries()])

    def _inspect(self, *, names: list[str], back: bool) -> None:
        tell("inspected", migrations=self._executor.collect(names, back=back))

    def _facts(self, *, tables: list[str]) -> None:
        tell("facts", tables=catalogue.facts(self._beside, tables))

    def _recover(self, *, retry: bool) -> None:
        """Bring the ledger in line with Django's record; refuse to go on over what was left half-way."""
        entries = self._ledger.entries()
        found = recovery(entries, self._recorded(), catalogue.fingerprint(self._beside) if entries else "")
        for entry in found.applied:
            self._settle(entry)
        for entry in found.undone:
            self._ledger.undone(entry.id, recovered=True)
        for entry in (*found.forgotten, *(found.unfinished if retry else ())):
            self._ledger.forget(entry.id)
        if found.unfinished and not retry:
            raise unfinished(found.unfinished)
        tell("recovered", migrations=[entry.migration for entry in (*found.applied, *found.undone)])

    def _settle(self, entry: Entry) -> None:
        self._executor.send_after_recovery()
        schema = catalogue.fingerprint(self._beside)
        self._ledger.applied(entry.id, seconds=None, schema=schema, recovered=True)

    def _recorded(self) -> set[str]:
        from django.db.migrations.recorder import MigrationRecorder

        return {".".join(key) for key in MigrationRecorder(self._connection).applied_migrations()}

    def _forward(self, *, steps: list[list[str]]) -> None:
        """Apply migrations, a list for each target."""
        self._ledger.ensure()
        self._executor.forward(self._session, self._steps(), [name for names in steps for name in names])
        tell("end", invalid_indexes=catalogue.invalid_indexes(self._beside))

    def _backward(self, *, rows: list[tuple[int, str]]) -> None:
        """Undo migrations, each with its row of the ledger."""
        self._executor.backward(self._session, self._steps(), rows)
        tell("end", invalid_indexes=catalogue.invalid_indexes(self._beside))

    def _steps(self) -> Steps:
        return Steps(self._connection, self._session, self._ledger, self._beside, tell)


class Elsewhere:
    """What can be asked of a process with another database: no lock, no ledger, no way back."""

    def __init__(self, connection: Any, _request: Command) -> None:
        from django.db.migrations.loader import MigrationLoader

        self._connection = connection
        self.loader = MigrationLoader(connection)
        self.commands: dict[str, Callable[..., None]] = {
            "forward": self._forward,
            "ledger": lambda: tell("ledger", rows=[]),
        }

    def _forward(self, *, steps: list[list[str]]) -> None:
        import time

        from django.core.management import call_command

        for names in steps:
            started = time.monotonic()
            app, name = names[-1].split(".", 1)
            call_command("migrate", app, name, database=self._connection.alias, interactive=False, verbosity=0)
            tell("applied", migration=names[-1], seconds=round(time.monotonic() - started, 3))
        tell("end", invalid_indexes=[])
