"""Deletes what has expired, in portions that hold no lock for long."""

from django.utils import timezone

from core.models import IdempotencyRecord

PORTION = 5_000


def delete_expired() -> int:
    """Deletes expired idempotency records, and with them their upload sessions; the number of records."""
    expired = IdempotencyRecord.objects.filter(expires_at__lt=timezone.now()).order_by("expires_at")
    total = 0
    while identifiers := list(expired.values_list("id", flat=True)[:PORTION]):
        IdempotencyRecord.objects.filter(id__in=identifiers).delete()
        total += len(identifiers)
    return total
