"""Counts items by the beginning of their id, so that whoever sent them can compare."""

from typing import Any

from django.db import connection

from core.models import AppliedItem, IdempotencyRecord

# Both tables are read in one statement, hence at one moment.
COUNTS = """
WITH applied AS (
    SELECT item_id, count(*) AS times FROM sync_applied_item
    WHERE tenant_id = %(tenant)s AND item_id LIKE %(prefix)s GROUP BY item_id
)
SELECT (SELECT count(*) FROM sync_idempotency_record
        WHERE tenant_id = %(tenant)s AND scope = %(scope)s AND idempotency_key LIKE %(prefix)s),
       coalesce(sum(times), 0)::bigint, count(*), count(*) FILTER (WHERE times > 1)
FROM applied
"""


def count(tenant_id: int, run: str) -> dict[str, int]:
    """{"stored": records, "applied": effects, "distinct": ids with an effect, "doubled": ids with more than one}."""
    prefix = run.replace("\\", r"\\").replace("_", r"\_").replace("%", r"\%") + "%"
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"tenant": tenant_id, "prefix": prefix, "scope": IdempotencyRecord.Scope.ITEM.value})
        return dict(zip(("stored", "applied", "distinct", "doubled"), cursor.fetchone(), strict=True))


def identifiers(tenant_id: int, run: str) -> list[str]:
    """The ids that have an effect, in order."""
    applied: Any = AppliedItem.objects.filter(tenant_id=tenant_id, item_id__startswith=run)
    return list(applied.order_by("item_id").values_list("item_id", flat=True).distinct())
