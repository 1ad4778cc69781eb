"""A score for each device: 100 is a device that synchronised lately and without conflicts."""

from datetime import datetime, timedelta

from django.db.models import Count, Max
from django.utils import timezone

from core.models import AppliedItem, ConflictResolution, Device, DeviceHealth

WINDOW = timedelta(hours=24)
FRESH = timedelta(minutes=5)
POOR = 70
CONFLICT_WEIGHT, SILENCE_WEIGHT = 60, 40


def score(items: int, conflicts: int, silent: timedelta) -> int:
    """100 minus up to 60 for the share of items in conflict, and up to 40 for the part of the window without a sync."""
    conflict_share = min(1.0, conflicts / items) if items else 0.0
    silent_share = min(1.0, max(timedelta(0), silent) / WINDOW)
    return round(100 - CONFLICT_WEIGHT * conflict_share - SILENCE_WEIGHT * silent_share)


def assess(tenant_id: int, device_id: str, now: datetime) -> DeviceHealth | None:
    """Computes and stores a device's health; None if it sent nothing within the window."""
    since = now - WINDOW
    applied = AppliedItem.objects.filter(tenant_id=tenant_id, device_id=device_id, applied_at__gte=since)
    sent = applied.aggregate(items=Count("id"), last=Max("applied_at"))
    if not sent["items"]:
        return None
    conflicts = ConflictResolution.objects.filter(
        tenant_id=tenant_id, device_id=device_id, created_at__gte=since
    ).count()
    owner = Device.objects.filter(tenant_id=tenant_id, device_id=device_id).values_list("owner_id", flat=True).first()
    health, _ = DeviceHealth.objects.update_or_create(
        tenant_id=tenant_id,
        device_id=device_id,
        user_id=owner,
        defaults={
            "score": score(sent["items"], conflicts, now - sent["last"]),
            "items": sent["items"],
            "conflicts": conflicts,
            "last_sync_at": sent["last"],
        },
    )
    return health


def current(tenant_id: int, device_id: str) -> DeviceHealth | None:
    """A device's health, at most five minutes old; None for a device that is not known."""
    now = timezone.now()
    stored = DeviceHealth.objects.filter(tenant_id=tenant_id, device_id=device_id).order_by("-updated_at").first()
    if stored and now - stored.updated_at < FRESH:
        return stored
    return assess(tenant_id, device_id, now) or stored
