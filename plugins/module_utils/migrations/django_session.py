# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The session of PostgreSQL that migrates: its lock, its time limits, and its patience.

Runs inside a release, handed over by ``django.py``; it is given Django's connections and imports nothing of Django.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import catalogue
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.catalogue import Query
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.statements import (
    ACCESS_EXCLUSIVE,
    DEFINES,
    Statement,
    quoted,
    read,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.waiting import (
    Blocker,
    Busy,
    Terms,
    given_up,
)

LOCK_NAME = "greenlight:migrate"
POLL_SECONDS = 0.5
LOCK_FAILURES = {"55P03", "40P01"}
"""SQLSTATE of a lock that was not given in time, and of a deadlock."""

Outcome = TypeVar("Outcome")
Tell = Callable[..., None]


class Locked(NotReady):
    """Another process migrates."""


def query_of(connection: Any) -> Query:
    """Ask a connection of Django's that commits each statement."""

    def query(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, list(parameters) or None)
            return list(cursor.fetchall()) if cursor.description else []

    return query


def take_lock(query: Query, wait: float, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Say whether this session is the only one that migrates, after at most ``wait`` seconds.

    It polls: a session that waits inside PostgreSQL would block CREATE INDEX CONCURRENTLY. The lock belongs to the
    session that migrates, so that it outlives a process that was killed for as long as its statement runs on.
    """
    for _try in range(int(wait / POLL_SECONDS) + 1):
        if _try:
            sleep(POLL_SECONDS)
        if query("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [LOCK_NAME])[0][0]:
            return True
    return False


def is_lock_failure(error: BaseException | None) -> bool:
    """Whether a statement failed since a lock was not given, in which case it can be tried again."""
    while error is not None:
        code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
        if isinstance(error, Busy) or code in LOCK_FAILURES:
            return True
        error = error.__cause__
    return False


def calm(query: Query) -> None:
    """Let the session that asks and writes beside the migrations neither hang nor be ended for idleness."""
    for name, value in (("statement_timeout", "60s"), ("lock_timeout", "10s"), ("idle_session_timeout", "0")):
        known = "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s"
        query(known, [value, name])


class Session:
    """What happens around the statements of the session that migrates.

    ``connection`` is Django's, ``beside`` asks another one, ``tell`` says that it waits.
    """

    def __init__(
        self, connection: Any, beside: Query, terms: Terms, tell: Tell, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._connection = connection
        self._beside = beside
        self._terms = terms
        self._tell = tell
        self._sleep = sleep
        self._pid = 0
        self._seen: Sequence[Blocker] = ()

    def connected(self, wait: float | None) -> None:
        """Set the limits of a new session, and take the lock within ``wait`` seconds unless that is None."""
        query = query_of(self._connection)
        self._pid = query("SELECT pg_backend_pid()", [])[0][0]
        self._set(self._terms.lock_timeout, self._terms.statement_timeout, local=False)
        if query("SELECT current_setting('server_version_num')::int >= 140000", [])[0][0]:
            query("SELECT set_config('client_connection_check_interval', '2s', false)", [])
        if wait is not None and not take_lock(query, wait, self._sleep):
            raise Locked("another process migrates", where="migrations")

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001
        """Run a statement on its terms; it is one of Django's wrappers around ``execute``."""
        statements = read(sql) if isinstance(sql, str) and DEFINES.search(sql) else []
        locking = [statement for statement in statements if statement.lock]

        def attempt() -> Any:
            run = partial(execute, sql, params, many, context)
            return self._attempt(locking, run) if locking else run()

        return attempt() if self._connection.in_atomic_block else self.patiently(attempt)

    def patiently(self, act: Callable[[], Outcome]) -> Outcome:
        """What ``act`` returns; while a lock is not given it is tried again, as often as the terms say."""
        for pause in (*self._terms.pauses(), None):
            self._seen = ()
            try:
                return act()
            except Exception as error:
                if not is_lock_failure(error):
                    raise
                blockers = self._in_the_way(error)
                if pause is None:
                    raise given_up("migrations", self._terms.tries, blockers) from error
            self._tell("waiting", seconds=pause, blockers=[blocker.sentence() for blocker in blockers])
            self._sleep(pause)
        raise AssertionError("the last try neither returned nor raised")

    def _in_the_way(self, error: BaseException) -> Sequence[Blocker]:
        if isinstance(error, Busy):
            return error.blockers
        return self._seen or catalogue.transactions(self._beside, 0.0, [self._pid, *self._own()])

    def _attempt(self, statements: Sequence[Statement], run: Callable[[], Outcome]) -> Outcome:
        """Run them once, unless somebody has been in the way for long already."""
        locks, own = self._locks(statements), [self._pid, *self._own()]
        in_the_way = catalogue.holders(self._beside, locks, own)
        if any(statement.concurrent for statement in statements):
            in_the_way += catalogue.transactions(self._beside, self._terms.old_transaction, own)
        old = {blocker.pid: blocker for blocker in in_the_way if blocker.is_old(self._terms)}
        if old:
            raise Busy("an old transaction is in the way", list(old.values()), where="migrations")
        with self._limits(statements, locks):
            try:
                self._drop_leftovers(statements)
                return run()
            except Exception as error:
                self._seen = catalogue.holders(self._beside, locks, own) if is_lock_failure(error) else ()
                raise

    def _locks(self, statements: Sequence[Statement]) -> dict[str, str]:
        """The locks that are asked for, by table; only tables that others can see already."""
        wanted = {table: lock for statement in statements for table, lock in statement.tables().items()}
        for statement in statements:
            table = catalogue.table_of(self._beside, statement.index) if statement.index else ""
            if table and not statement.tables():
                wanted[table] = statement.lock
        there = catalogue.existing(self._beside, list(wanted))
        return {table: wanted[table] for table in there}

    def _drop_leftovers(self, statements: Sequence[Statement]) -> None:
        """Take away what an earlier attempt left under the name of an index that is to be built concurrently."""
        for statement in statements:
            made = any(action.kind == "create_index_concurrently" for action in statement.actions)
            if made and statement.index in catalogue.invalid_indexes(self._beside, plain=True):
                self._execute(f"DROP INDEX CONCURRENTLY {quoted(statement.index)}")

    @contextmanager
    def _limits(self, statements: Sequence[Statement], locks: Mapping[str, str]) -> Iterator[None]:
        """The time limits of these statements, and the usual ones again afterwards."""
        terms, local = self._terms, self._connection.in_atomic_block
        usual = limits = (terms.lock_timeout, terms.statement_timeout)
        if any(statement.concurrent for statement in statements):
            limits = (terms.concurrent_lock_timeout, 0.0)
        elif ACCESS_EXCLUSIVE in locks.values():
            limits = (terms.lock_timeout, min(terms.lock_timeout + terms.exclusive_timeout, terms.statement_timeout))
        if limits == usual:
            yield
            return
        self._set(*limits, local=local)
        try:
            yield
        except Exception:
            if not local:  # a transaction that failed takes its own settings back
                with suppress(Exception):  # why it failed says more
                    self._set(*usual, local=False)
            raise
        self._set(*usual, local=local)

    def _set(self, lock_timeout: float, statement_timeout: float, *, local: bool) -> None:
        for name, seconds in (("lock_timeout", lock_timeout), ("statement_timeout", statement_timeout)):
            self._execute("SELECT set_config(%s, %s, %s)", name, f"{round(seconds * 1000)}ms", local)

    def _execute(self, sql: str, *parameters: Any) -> None:
        """By the driver itself: none of Django's wrappers, of which this is one."""
        with self._connection.connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)

    def _own(self) -> list[int]:
        return [int(row[0]) for row in self._beside("SELECT pg_backend_pid()", [])]
