"""Finds tenants by the name that clients give."""

import time

from channels.db import database_sync_to_async

from core.models import Tenant

DEFAULT = "demo"
REMEMBERED_SECONDS = 60.0
_known: dict[str, tuple[float, int]] = {}


def _remembered(slug: str) -> int | None:
    found_at, tenant_id = _known.get(slug, (float("-inf"), None))
    return tenant_id if time.monotonic() - found_at < REMEMBERED_SECONDS else None


def _look_up(slug: str) -> int | None:
    tenant_id = Tenant.objects.filter(slug=slug).values_list("id", flat=True).first()
    if tenant_id is not None:
        _known[slug] = time.monotonic(), tenant_id
    return tenant_id


def find_now(slug: str) -> int | None:
    """The tenant's id, None if there is no such tenant. What was found is remembered for a minute."""
    return _remembered(slug) or _look_up(slug)


async def find(slug: str) -> int | None:
    """As find_now; leaves the event loop only when the database must be asked."""
    return _remembered(slug) or await database_sync_to_async(_look_up)(slug)


def forget() -> None:
    """Empties the memory."""
    _known.clear()
