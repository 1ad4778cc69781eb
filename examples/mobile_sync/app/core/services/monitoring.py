"""The state of the synchronisation over some hours, and what in it needs attention."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from core.models import AppliedItem, ConflictResolution, DeviceHealth
from core.services.device_health import POOR
from core.services.readiness import check

WARNING, CRITICAL = "warning", "critical"


@dataclass(frozen=True)
class Limit:
    """A figure above `above` is a reason for an alert."""

    figure: str
    above: float
    severity: str


LIMITS = (
    Limit("parts_failing", 0, CRITICAL),
    Limit("doubled", 0, CRITICAL),
    Limit("conflict_percent", 5, WARNING),
    Limit("poor_devices", 0, WARNING),
    Limit("connections_percent", 80, WARNING),
    Limit("connections_percent", 90, CRITICAL),
)


def figures(hours: int) -> dict[str, Any]:
    """What was counted over the last `hours` hours."""
    since = timezone.now() - timedelta(hours=hours)
    applied = AppliedItem.objects.filter(applied_at__gte=since)
    counts = applied.aggregate(items=Count("id"), devices=Count("device_id", distinct=True))
    conflicts = ConflictResolution.objects.filter(created_at__gte=since).count()
    doubled = applied.values("tenant_id", "item_id").annotate(times=Count("id")).filter(times__gt=1).count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 100.0 * count(*) / current_setting('max_connections')::int FROM pg_stat_activity")
        connections = float(cursor.fetchone()[0])
    return {
        **counts,
        "conflicts": conflicts,
        "conflict_percent": round(100 * conflicts / counts["items"], 1) if counts["items"] else 0.0,
        "doubled": doubled,
        "poor_devices": DeviceHealth.objects.filter(score__lt=POOR, updated_at__gte=since).count(),
        "connections_percent": round(connections, 1),
        "parts_failing": sum(not part["ok"] for part in check().values()),
    }


def alerts(counted: dict[str, Any]) -> list[dict[str, Any]]:
    """The limits that figures exceed: {"figure", "value", "above", "severity"}."""
    return [
        {"figure": limit.figure, "value": counted[limit.figure], "above": limit.above, "severity": limit.severity}
        for limit in LIMITS
        if counted[limit.figure] > limit.above
    ]


def status(raised: list[dict[str, Any]]) -> str:
    """The worst of some alerts in a word: healthy, warning or critical."""
    severities = {alert["severity"] for alert in raised}
    return next((word for word in (CRITICAL, WARNING) if word in severities), "healthy")
