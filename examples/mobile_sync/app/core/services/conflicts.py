"""Finds items that are older than what another device already sent, and settles by the tenant's policy."""

from collections.abc import Sequence
from typing import Any

from channels.db import database_sync_to_async
from psycopg import AsyncConnection

from core.models import ConflictPolicy, ConflictResolution
from core.services import policies
from core.sync.items import Item

# Two transactions with one entity pass here one after the other, so that the second sees the first one's version.
LOCK = """
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended(entity, tenant_id) AS key FROM unnest(%s::bigint[], %s::text[])
      AS item (tenant_id, entity) ORDER BY key) AS keys
"""
NEWEST_OTHER = """
SELECT max(version) FROM sync_applied_item WHERE tenant_id = %s AND entity = %s AND item_id <> ALL(%s)
"""
LOG = """
INSERT INTO sync_conflict_resolution_log
    (tenant_id, item_id, device_id, domain, entity, client_version, server_version, rule, winner)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def winner(rule: str, client_version: int, server_version: int) -> str | None:
    """Who prevails under a rule: client, server, or None where a person decides."""
    match rule:
        case ConflictPolicy.Rule.CLIENT_WINS:
            return ConflictResolution.Winner.CLIENT.value
        case ConflictPolicy.Rule.MANUAL:
            return None
        case ConflictPolicy.Rule.HIGHEST_VERSION if client_version > server_version:
            return ConflictResolution.Winner.CLIENT.value
        case _:
            return ConflictResolution.Winner.SERVER.value


async def record_conflicts(
    connection: AsyncConnection[Any], items: Sequence[Item]
) -> dict[tuple[int, str], dict[str, Any]]:
    """Logs each of these fresh items that is not newer than another item of its entity.

    Runs in the transaction that stored them. Answers for each such item {"conflict": {"rule", "winner", "version"}}.
    """
    changes = [item for item in items if item.entity is not None and item.version is not None]
    await connection.execute(LOCK, ([item.tenant_id for item in changes], [item.entity for item in changes]))
    reports = {}
    for number, item in enumerate(changes):
        # Those that follow in this group are stored already, but came later.
        later = [item.item_id for item in changes[number:]]
        [newest] = await (await connection.execute(NEWEST_OTHER, (item.tenant_id, item.entity, later))).fetchone()
        if newest is None or item.version > newest:
            continue
        rule = await database_sync_to_async(policies.rule)(item.tenant_id, item.domain)
        prevails = winner(rule, item.version, newest)
        who = (item.tenant_id, item.item_id, item.device_id, item.domain, item.entity)
        await connection.execute(LOG, (*who, item.version, newest, rule, prevails))
        reports[item.key] = {"conflict": {"rule": rule, "winner": prevails, "version": newest}}
    return reports
