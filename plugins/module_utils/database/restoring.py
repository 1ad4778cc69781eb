# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restores a dump into a database of its own, and proves that it holds what the manifest says."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.database import contents
from ansible_collections.greenlight.deploy.plugins.module_utils.database.dump import DUMP, Programs
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import (
    BackupDamaged,
    Manifest,
    Surroundings,
    compare_rows,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.names import conninfo, derived, identifier
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import Server
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

MAINTENANCE = "postgres"
"""The database from which others are made, renamed and dropped; every server has it."""

MARK = "greenlight: not complete, may be dropped"
"""Comment on a database that is ours to drop."""

UNFINISHED = """
SELECT datname FROM pg_catalog.pg_database d
WHERE starts_with(datname, %s) AND pg_catalog.shobj_description(oid, 'pg_database') = %s
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid AND %s)
"""
VERIFY = "verify"
PROVIDERS = {"i": ["LOCALE_PROVIDER icu", "ICU_LOCALE %s"], "b": ["LOCALE_PROVIDER builtin", "BUILTIN_LOCALE %s"]}
"""What CREATE DATABASE is told of a locale that is not the C library's."""

ROOM = 1.2
"""Free bytes for each byte that the database had."""

LOCAL = frozenset({"", "localhost", "127.0.0.1", "::1"})


def restore_into(
    programs: Programs, name: str, backup: Path, manifest: Manifest, jobs: int, *, tablespace: str = ""
) -> float:
    """Make the database ``name`` of a ``backup``, with its rows compared and statistics; the seconds that it took.

    It lies in ``tablespace``, by default in that of the database that was saved. What an earlier run left under that
    name is dropped first, when it is marked as ours. ``name`` stays marked.
    """
    began = time.monotonic()
    drop_ours(programs.server, name)
    require_room(programs.server, manifest)
    like = manifest.surroundings
    create(programs.server, name, replace(like, tablespace=tablespace or like.tablespace))
    programs.run(
        "pg_restore",
        "--format=directory",
        f"--dbname={conninfo(dbname=name)}",
        f"--jobs={jobs}",
        "--exit-on-error",
        str(backup / DUMP),
        what="restore",
        database=name,
    )
    programs.run("vacuumdb", "--analyze-only", "--quiet", f"--jobs={jobs}", what="statistics", database=name)
    compare(programs.server, name, manifest)
    return time.monotonic() - began


def require_room(server: Server, manifest: Manifest) -> None:
    """:class:`~.NoSpace` when the server's data is on this host, can be seen, and has no room for another database."""
    with administer(server) as connection:
        folder = contents.value(connection, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'")
    if folder and (server.host in LOCAL or server.host.startswith("/")):
        with suppress(PermissionError):
            if Path(folder).is_dir():
                tree.require_space(Path(folder), int(manifest.database_bytes * ROOM), "a second database")


def prove_by_restore(programs: Programs, backup: Path, manifest: Manifest, jobs: int) -> float:
    """Restore into a scratch database and drop that again, whatever happens; the seconds of the restore."""
    name = derived(manifest.database, VERIFY, manifest.id)
    drop_unfinished(programs.server, manifest.database, VERIFY, only_left=True)
    try:
        return restore_into(programs, name, backup, manifest, jobs)
    finally:
        drop_ours(programs.server, name)


def compare(server: Server, name: str, manifest: Manifest) -> None:
    """:class:`~.manifest.BackupDamaged` unless ``name`` holds what was counted when the backup was made."""
    with server.connect(name, application_name="greenlight/verify") as connection:
        rows, objects = contents.rows(connection), contents.large_objects(connection)
        extensions = contents.extensions(connection)
    compare_rows(manifest.tables, rows, f"database {name}")
    if objects != manifest.large_objects:
        raise BackupDamaged(f"{objects} large objects instead of {manifest.large_objects}", where=f"database {name}")
    missing = sorted(set(manifest.extensions) - set(extensions))
    if missing:
        raise BackupDamaged(f"extensions are missing: {', '.join(missing)}", where=f"database {name}")


def create(server: Server, name: str, like: Surroundings) -> None:
    """Create the database ``name``, empty, marked as ours, with the encoding and locale of another."""
    words = ["ENCODING %s", "LC_COLLATE %s", "LC_CTYPE %s"]
    values: list[Any] = [like.encoding, like.collate, like.ctype]
    if like.provider in PROVIDERS:
        words += PROVIDERS[like.provider]
        values.append(like.locale)
    if like.tablespace != "pg_default":
        words.append(f"TABLESPACE {identifier(like.tablespace)}")
    with administer(server) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {identifier(name)} TEMPLATE template0 {' '.join(words)}", values)
        cursor.execute(f"COMMENT ON DATABASE {identifier(name)} IS %s", (MARK,))


def drop_ours(server: Server, name: str) -> None:
    """Drop the database ``name`` when it is there; :class:`InvalidInput` when no unfinished run of ours left it."""
    with administer(server) as connection:
        found = contents.surroundings(connection, name)
    if found is None:
        return
    if found.comment != MARK and not empty(server, name):
        raise InvalidInput(
            f"there is a database {name}, and no unfinished run left it",
            where=server.where,
            expected="no database of that name",
            do="rename or drop it",
        )
    with administer(server) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")


def drop_unfinished(server: Server, database: str, purpose: str, *, only_left: bool = False) -> None:
    """Drop the databases made from ``database`` for a ``purpose`` that are not complete.

    With ``only_left`` not those that somebody is connected to: another host may be at work on one.
    """
    with administer(server) as connection, connection.cursor() as cursor:
        cursor.execute(UNFINISHED, (f"{database}_{purpose}_", MARK, only_left))
        left = [name for (name,) in cursor.fetchall()]
    for name in left:
        drop_ours(server, name)


def empty(server: Server, name: str) -> bool:
    """Whether a database has no table, as one that a run made and was killed before it could mark it."""
    with server.connect(name, application_name="greenlight/restore") as connection:
        return not contents.rows(connection)


def administer(server: Server) -> Any:
    """A connection from which databases are made, renamed and dropped; each statement is a transaction."""
    return server.connect(MAINTENANCE, application_name="greenlight/restore", autocommit=True)
