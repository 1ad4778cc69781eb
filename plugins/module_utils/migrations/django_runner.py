# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs inside a release, with its own interpreter and Django, as one process for a whole plan.

It speaks in lines of JSON, each behind MARK so that what an application prints does not disturb: it tells the state
of the migrations, reads the list of targets to apply from standard input, applies them and tells how it went. The
source of this file is handed to ``python -c``: it imports nothing of the collection.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

MARK = "@greenlight "
LOCK_NAME = "greenlight:migrate"
POLL_SECONDS = 0.5


def tell(kind: str, **content: object) -> None:
    """Say one thing to the module that started us."""
    sys.stdout.write(MARK + json.dumps({"kind": kind, **content}) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Tell the state, apply what standard input asks for."""
    request = json.loads(sys.stdin.readline())
    sys.path.insert(0, str(Path.cwd()))
    try:
        import django

        django.setup()
        from django.db import connections

        connection = connections[request["database"]]
        if request["lock"] and not take_lock(connection, request["lock_wait"]):
            tell("locked")
            return
        tell("state", **state(connection))
        targets = json.loads(sys.stdin.readline() or "[]")
        for target in targets:
            apply(connection, target)
        tell("end", invalid_indexes=invalid_indexes(connection))
    except Exception as error:  # whatever it is, the module tells it to the operator
        tell("error", error=f"{type(error).__name__}: {error}".strip())
        raise


def take_lock(connection: Any, wait: float) -> bool:
    """Say whether this process is the only one that migrates.

    It polls: a process that waits inside PostgreSQL would block CREATE INDEX CONCURRENTLY.
    """
    if connection.vendor != "postgresql":
        return True
    end = time.monotonic() + wait
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [LOCK_NAME])
            if cursor.fetchone()[0]:
                return True
        if time.monotonic() >= end:
            return False
        time.sleep(POLL_SECONDS)


def state(connection: Any) -> dict[str, object]:
    """Every migration of the graph as plain data, and those that are applied but of which this code knows nothing."""
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection)
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


def apply(connection: Any, target: str) -> None:
    """Bring the database to ``target`` by Django's own command, so that its signals are sent too."""
    from django.core.management import call_command

    started = time.monotonic()
    app, name = target.split(".", 1)
    call_command("migrate", app, name, database=connection.alias, interactive=False, verbosity=0)
    tell("applied", target=target, seconds=round(time.monotonic() - started, 3))


def invalid_indexes(connection: Any) -> list[str]:
    """Indexes that a failed concurrent build left behind."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT (indisvalid AND indisready) ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


if __name__ == "__main__":
    main()
