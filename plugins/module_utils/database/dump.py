# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dumps a database with PostgreSQL's own programs, and reads a dump to its end."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run
from ansible_collections.greenlight.deploy.plugins.module_utils.database import contents
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import BackupDamaged, Surroundings
from ansible_collections.greenlight.deploy.plugins.module_utils.database.names import conninfo
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import Error, Server, fitting
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed

DUMP, GLOBALS = "dump", "globals.sql"
ZSTD_SINCE = 16
"""Major version whose pg_dump can have zstd and lz4, when it was built with them."""

LOCK_WAIT = "60s"


@dataclass(frozen=True)
class Programs:
    """How PostgreSQL's programs run for one server: nobody else may read what they write, secrets stay unseen."""

    server: Server
    major: int
    timeout: float

    @classmethod
    def of(cls, server: Server, timeout: float, *, ask: str | None = None) -> Programs:
        """The programs for ``server``, whose version is asked in the database ``ask``, the server's own by default.

        ``timeout`` is in seconds, for each run of a program.
        """
        return cls(server, server.version(ask) // 10000, timeout)

    def run(
        self, name: str, *words: str, what: str, database: str | None = None, allowed: tuple[int, ...] = (0,)
    ) -> str:
        """Run the program ``name`` of this server's version; what it printed."""
        environment = {**self.server.environment(database), "HOME": os.environ.get("HOME", "/")}
        secrets = (self.server.password,)
        context = Context(Path("/"), environment, secrets=secrets, timeout=self.timeout, umask=0o077)
        return run([fitting(name, self.major), *words, "--no-password"], context, what=what, allowed=allowed)


@dataclass(frozen=True)
class Contents:
    """What a snapshot held, see :class:`~.manifest.Manifest`."""

    tables: dict[str, int]
    large_objects: int
    extensions: dict[str, str]
    surroundings: Surroundings
    bytes: int


def begin_snapshot(connection: Any) -> tuple[str, float]:
    """Begin a transaction that sees one moment; the snapshot's name for others and its second since 1970."""
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    contents.value(connection, "SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
    contents.value(connection, "SELECT set_config('statement_timeout', '0', true)")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_export_snapshot(), extract(epoch FROM now())::float8")
        name, taken = cursor.fetchone()
    return str(name), float(taken)


def read_contents(connection: Any, database: str) -> Contents:
    """What there is in the transaction of ``connection``."""
    surroundings = contents.surroundings(connection, database)
    if surroundings is None:
        raise CommandFailed("the database was renamed or dropped", where=database, do="run again")
    return Contents(
        tables=contents.rows(connection),
        large_objects=contents.large_objects(connection),
        extensions=contents.extensions(connection),
        surroundings=surroundings,
        bytes=int(contents.value(connection, "SELECT pg_database_size(current_database())")),
    )


def count_while(connection: Any, database: str, act: Callable[[], object]) -> Contents:
    """Read the contents in the transaction of ``connection`` while ``act`` runs; neither outlives the other's error."""
    with ThreadPoolExecutor(1) as pool:
        counting = pool.submit(read_contents, connection, database)
        try:
            act()
        except BaseException:
            with suppress(Error):
                connection.cancel()
            raise
        return counting.result()


def dump(programs: Programs, snapshot: str, folder: Path, jobs: int, compression: str) -> None:
    """Dump the snapshot into ``folder / DUMP``."""
    programs.run(
        "pg_dump",
        "--format=directory",
        f"--file={folder / DUMP}",
        f"--snapshot={snapshot}",
        f"--jobs={jobs}",
        f"--compress={compression}",
        f"--lock-wait-timeout={LOCK_WAIT}",
        what="dump",
    )


def dump_globals(programs: Programs, folder: Path) -> None:
    """Write roles, without passwords, and tablespaces into ``folder / GLOBALS``."""
    programs.run(
        "pg_dumpall",
        "--globals-only",
        "--no-role-passwords",
        f"--file={folder / GLOBALS}",
        f"--database={conninfo(dbname=programs.server.database)}",
        what="roles",
    )


def read_to_the_end(folder: Path, major: int, timeout: float = 14400) -> None:
    """Have pg_restore read every entry of the dump; :class:`~.manifest.BackupDamaged` when it cannot.

    ``major`` is the version that wrote the dump. Nothing short of this finds a file that was cut off: ``--list`` reads
    the table of contents alone.
    """
    argv = [fitting("pg_restore", major), "--format=directory", "--file=/dev/null", str(folder / DUMP)]
    try:
        run(argv, Context(Path("/"), timeout=timeout), what="reading the dump")
    except CommandFailed as error:
        raise BackupDamaged(error.what, where=str(folder / DUMP), do="use another backup") from error


def compression_for(programs: Programs, method: str, level: int | None) -> str:
    """The value of pg_dump's ``--compress`` for a ``method`` of the module's, ``auto`` being the best that there is."""
    if programs.major < ZSTD_SINCE:
        if method not in ("auto", "gzip"):
            raise CommandFailed(
                f"pg_dump {programs.major} has no {method}",
                where="compression",
                expected="auto or gzip",
                do=f"use auto: {method} comes with PostgreSQL {ZSTD_SINCE}",
            )
        return str(1 if level is None else level)
    chosen = method if method != "auto" else ("zstd" if _offers(programs, "zstd") else "gzip")
    return f"{chosen}:{level if level is not None else {'zstd': 3, 'lz4': 1, 'gzip': 1}[chosen]}"


def _offers(programs: Programs, method: str) -> bool:
    """Whether pg_dump was built with ``method``; it looks at that before it connects, here to no server."""
    try:
        programs.run("pg_dump", f"--compress={method}", "--host=/nonexistent", "--file=/dev/null", what="compression")
    except CommandFailed as error:
        return "compression" not in error.what.partition("\n")[2]
    return True
