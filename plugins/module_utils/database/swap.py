# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gives a restored database what belonged to the one before it, and swaps their names."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.database import contents
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import Surroundings
from ansible_collections.greenlight.deploy.plugins.module_utils.database.names import (
    derived,
    identifier,
    setting_values,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import Error, Server
from ansible_collections.greenlight.deploy.plugins.module_utils.database.restoring import MAINTENANCE, administer

POLL = 0.005
RESTORING = "restoring"
LOCK_TIMEOUT = "5s"
"""For the lock that keeps new connections waiting."""

TERMINATE = """
SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid()
"""


@dataclass(frozen=True)
class Names:
    """The databases of a swap: ``live`` is the one that clients know, ``between`` is used inside the transaction."""

    live: str
    new: str
    between: str
    old: str

    @classmethod
    def of(cls, live: str, restore: str) -> Names:
        """The names for the ``restore`` of that id."""
        return cls(live, *(derived(live, purpose, restore) for purpose in (RESTORING, "swapping", "replaced")))


def surround(server: Server, name: str, like: Surroundings) -> None:
    """Give the database ``name`` the owner, privileges, settings and limit of another; all of it or nothing."""
    quoted = identifier(name)
    with (
        server.connect(MAINTENANCE, application_name="greenlight/restore") as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"ALTER DATABASE {quoted} OWNER TO {identifier(like.owner)}")
        cursor.execute(f"ALTER DATABASE {quoted} CONNECTION LIMIT {int(like.connection_limit)}")
        if like.acl is not None:
            cursor.execute(f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC, {identifier(like.owner)}")
            for entry in like.acl:
                cursor.execute(_grant(quoted, entry))
        for setting in like.settings:
            _set(cursor, quoted, setting)


def _grant(database: str, entry: dict[str, Any]) -> str:
    grantee = identifier(entry["grantee"]) if entry["grantee"] else "PUBLIC"
    grantable = " WITH GRANT OPTION" if entry["grantable"] else ""
    return f"GRANT {entry['privilege']} ON DATABASE {database} TO {grantee}{grantable}"


def _set(cursor: Any, database: str, setting: dict[str, str]) -> None:
    whose = f"ROLE {identifier(setting['role'])} IN DATABASE {database}" if setting["role"] else f"DATABASE {database}"
    values = setting_values(setting["name"], setting["value"])
    name, places = identifier(*setting["name"].split(".")), ", ".join(["%s"] * len(values))
    cursor.execute(f"ALTER {whose} SET {name} TO {places}", values)


def swap(server: Server, names: Names, comment: str) -> float:
    """Make the new database the live one and keep that under its other name; the seconds without either.

    One transaction: whenever this run or the server is killed, the live name is that of the one or the other, and open
    to everybody. A rename locks a database against new connections before it looks for old ones, which are ended
    meanwhile. ``comment`` is what the database is described with. :class:`~.postgres.StatementFailed` when a connection
    does not end within five seconds; then nothing has changed.
    """
    live, new, between, old = (identifier(name) for name in (names.live, names.new, names.between, names.old))
    with (
        administer(server) as other,
        server.connect(MAINTENANCE, application_name="greenlight/swap") as connection,
        connection.cursor() as cursor,
    ):
        contents.value(connection, "SELECT pg_catalog.set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
        cursor.execute(f"COMMENT ON DATABASE {new} IS %s", (comment or None,))
        exists = contents.surroundings(connection, names.live) is not None
        with disconnecting(other, names.new):
            cursor.execute(f"ALTER DATABASE {new} RENAME TO {between}")  # locks it; nobody may come in its way later
        began = time.monotonic()
        if exists:
            with disconnecting(other, names.live):
                cursor.execute(f"ALTER DATABASE {live} RENAME TO {old}")
        cursor.execute(f"ALTER DATABASE {between} RENAME TO {live}")
        connection.commit()
        return time.monotonic() - began


@contextmanager
def disconnecting(connection: Any, database: str) -> Iterator[None]:
    """As long as the block runs, ``connection`` ends those to ``database`` as soon as they are seen."""
    ended = threading.Event()

    def end_connections() -> None:
        with suppress(Error), connection.cursor() as cursor:
            while not ended.wait(POLL):
                cursor.execute(TERMINATE, (database,))

    with connection.cursor() as cursor:
        cursor.execute(TERMINATE, (database,))
    thread = threading.Thread(target=end_connections, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
