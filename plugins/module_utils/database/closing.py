# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Closes a database to its applications for the length of a restore, and opens it again after a run that was killed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.greenlight.deploy.plugins.module_utils.database import contents
from ansible_collections.greenlight.deploy.plugins.module_utils.database.names import identifier
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import Server
from ansible_collections.greenlight.deploy.plugins.module_utils.database.restoring import MAINTENANCE, administer
from ansible_collections.greenlight.deploy.plugins.module_utils.database.swap import TERMINATE
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import NotReady

POLL = 0.05
DEADLINE = 10.0
"""Seconds for every connection to end."""

CLIENTS = """
SELECT string_agg(DISTINCT coalesce(usename, '?') || ' (' || coalesce(nullif(application_name, ''), '?') || ')', ', ')
FROM pg_catalog.pg_stat_activity
WHERE datname = %s AND pid <> pg_catalog.pg_backend_pid() AND backend_type IN ('client backend', 'walsender')
"""


@contextmanager
def closed(server: Server, live: str, old: str, *, wanted: bool) -> Iterator[None]:
    """Inside nobody but superusers gets into the database ``live``, where that is ``wanted``.

    Afterwards, however the block ended, ``live`` and ``old`` are as open as they were; also where a run that was killed
    had closed them.
    """
    try:
        if wanted:
            close(server, live)
        yield
    finally:
        for name in (live, old):
            reopen(server, name)


def close(server: Server, database: str) -> None:
    """Let nobody in and end every connection; what there was before is written into the comment, all in one step.

    :class:`NotReady` names who is still connected: superusers cannot be kept out.
    """
    with server.connect(MAINTENANCE, application_name="greenlight/fence") as connection, connection.cursor() as cursor:
        found = contents.surroundings(connection, database)
        if found is None:
            return
        name, fenced = identifier(database), found.closed()
        cursor.execute(f"ALTER DATABASE {name} CONNECTION LIMIT {fenced.connection_limit}")
        cursor.execute(f"COMMENT ON DATABASE {name} IS %s", (fenced.comment,))
    deadline = time.monotonic() + DEADLINE
    with administer(server) as connection:
        contents.value(connection, TERMINATE, (database,))
        while clients := contents.value(connection, CLIENTS, (database,)):
            if time.monotonic() > deadline:
                raise NotReady(
                    f"connections do not end: {clients}",
                    where=f"database {database}",
                    expected="applications that do not log in as a superuser",
                    do="stop what connects, then run again",
                )
            time.sleep(POLL)
            contents.value(connection, TERMINATE, (database,))


def reopen(server: Server, database: str) -> None:
    """Give a database that :func:`close` closed its own limit and comment back."""
    with server.connect(MAINTENANCE, application_name="greenlight/fence") as connection, connection.cursor() as cursor:
        found = contents.surroundings(connection, database)
        if found is None or found.reopened() == found:
            return
        name, own = identifier(database), found.reopened()
        cursor.execute(f"ALTER DATABASE {name} CONNECTION LIMIT {own.connection_limit}")
        cursor.execute(f"COMMENT ON DATABASE {name} IS %s", (own.comment or None,))
