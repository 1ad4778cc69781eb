"""Counts what happened in an hour."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count

from core.models import AnalyticsDomain, AnalyticsSnapshot, AppliedItem, Tenant, UploadSession


def hour_of(moment: datetime) -> datetime:
    """When the hour of a moment began."""
    return moment.replace(minute=0, second=0, microsecond=0)


@transaction.atomic
def aggregate(period_start: datetime) -> int:
    """Writes the snapshot of an hour for every tenant, again if it is there already; the number of items."""
    period = (period_start, period_start + timedelta(hours=1))
    total = 0
    for tenant in Tenant.objects.all():
        applied = AppliedItem.objects.filter(tenant=tenant, applied_at__gte=period[0], applied_at__lt=period[1])
        uploads = UploadSession.objects.filter(tenant=tenant, created_at__gte=period[0], created_at__lt=period[1])
        counts = applied.aggregate(items=Count("id"), devices=Count("device_id", distinct=True))
        snapshot, _ = AnalyticsSnapshot.objects.update_or_create(
            tenant=tenant, period_start=period_start, defaults={**counts, "uploads": uploads.count()}
        )
        snapshot.domains.all().delete()
        AnalyticsDomain.objects.bulk_create(
            AnalyticsDomain(snapshot=snapshot, **row) for row in applied.values("domain").annotate(items=Count("id"))
        )
        total += counts["items"]
    return total
