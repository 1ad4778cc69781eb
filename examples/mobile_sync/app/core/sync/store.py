"""Writes items to PostgreSQL, each exactly once."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from core.sync.items import Item, Outcome

# The record and the effect come and go together: it is one statement. Its rows are sorted, so that two
# writers with the same items wait for each other instead of ending in a deadlock.
STORE = """
WITH item AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%s::jsonb) AS item (
        tenant_id bigint, device_id text, item_id text, domain text, payload jsonb, entity text, version bigint)
), fresh AS (
    INSERT INTO sync_idempotency_record (tenant_id, scope, idempotency_key, expires_at)
    SELECT tenant_id, 'item', item_id, now() + make_interval(hours => %s) FROM item ORDER BY tenant_id, item_id
    ON CONFLICT (idempotency_key, tenant_id, scope) DO NOTHING
    RETURNING tenant_id, idempotency_key AS item_id
)
INSERT INTO sync_applied_item (tenant_id, device_id, item_id, domain, payload, entity, version)
SELECT tenant_id, device_id, item_id, domain, payload, entity, version FROM item JOIN fresh USING (tenant_id, item_id)
RETURNING tenant_id, item_id
"""
TIMEOUTS = "-c statement_timeout=15s -c lock_timeout=10s"


def pool() -> AsyncConnectionPool:
    """Connections for the running event loop, to Django's default database; not open yet."""
    database = connections["default"].settings_dict
    options = {name: value for name, value in database["OPTIONS"].items() if name not in ("pool", "assume_role")}
    address = {
        "dbname": database["NAME"],
        "user": database["USER"],
        "password": database["PASSWORD"],
        "host": database["HOST"],
        "port": database["PORT"],
    }
    given = {name: value for name, value in address.items() if value}
    return AsyncConnectionPool(
        kwargs={"options": TIMEOUTS, **given, **options, "autocommit": True},
        min_size=1,
        max_size=2,
        timeout=2,
        open=False,
    )


@cache
def _effects() -> list[Any]:
    return [import_string(path) for path in settings.SYNC_EFFECTS]


async def store(connection: AsyncConnection[Any], items: Sequence[Item]) -> dict[tuple[int, str], Outcome]:
    """Stores items (no two of one key) in one transaction; the outcome of each by key. Raises psycopg.Error."""
    document = json.dumps([asdict(item) for item in items])
    arguments = (document, settings.SYNC_IDEMPOTENCY_HOURS)
    if not any(item.entity for item in items):
        fresh = {*await (await connection.execute(STORE, arguments)).fetchall()}
        return {item.key: Outcome(item.key not in fresh) for item in items}
    reports: dict[tuple[int, str], dict[str, Any]] = {}
    async with connection.transaction():
        fresh = {*await (await connection.execute(STORE, arguments)).fetchall()}
        for effect in _effects():
            for key, report in (await effect(connection, [item for item in items if item.key in fresh])).items():
                reports.setdefault(key, {}).update(report)
    return {item.key: Outcome(item.key not in fresh, reports.get(item.key, {})) for item in items}
