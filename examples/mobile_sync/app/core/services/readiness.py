"""Whether this process can do its work: each thing that it depends on is asked."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any

from django.core.cache import cache as redis
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from redis import RedisError

from core.models import ConflictPolicy


class NotReady(Exception):
    """Something answers, but not as this release needs it."""


def database() -> None:
    """The database answers and takes writes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        if cursor.fetchone()[0]:
            raise NotReady("the database is read-only (a standby)")


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def migrations() -> None:
    """All migrations of this release are applied; more may be, by a newer one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        pending = sorted(_known_migrations() - set(cursor.fetchall()))
    if pending:
        raise NotReady("not applied: " + ", ".join(f"{app}.{name}" for app, name in pending))


def postgis() -> None:
    """The extension that locations need is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'postgis'")
        if not cursor.fetchone():
            raise NotReady("extension postgis is not installed in this database")


def cache_server() -> None:
    """Redis takes a value and gives it back."""
    token = str(time.time_ns())
    redis.set("readiness", token, 30)
    if redis.get("readiness") is None:
        raise NotReady("Redis forgets what it was given")


def policies() -> None:
    """Conflict policies can be read; without them no conflict can be settled."""
    ConflictPolicy.objects.first()


FAILURES = (NotReady, DatabaseError, RedisError, OSError)
PARTS: dict[str, Callable[[], None]] = {
    "database": database,
    "migrations": migrations,
    "postgis": postgis,
    "redis": cache_server,
    "policies": policies,
}


def check() -> dict[str, dict[str, Any]]:
    """For each part {"ok", "ms"[, "error"]}."""
    return {name: _outcome(part) for name, part in PARTS.items()}


def _outcome(part: Callable[[], None]) -> dict[str, Any]:
    begin = time.perf_counter()
    error = None
    try:
        part()
    except FAILURES as failure:
        error = f"{type(failure).__name__}: {failure}".splitlines()[0]
    result = {"ok": error is None, "ms": round((time.perf_counter() - begin) * 1000, 1)}
    return result if error is None else {**result, "error": error}
