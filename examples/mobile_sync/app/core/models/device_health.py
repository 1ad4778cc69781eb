"""How well the synchronisation of a device goes."""

from django.conf import settings
from django.db import models

from core.models.tenant import Tenant


class DeviceHealth(models.Model):
    """A device's score (100 = no trouble) over the last day, and what it was made of."""

    tenant = models.ForeignKey(Tenant, models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    device_id = models.CharField(max_length=128)
    score = models.PositiveSmallIntegerField()
    items = models.BigIntegerField()
    conflicts = models.BigIntegerField()
    last_sync_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "sync_device_health"
        constraints = [
            models.UniqueConstraint(
                fields=["device_id", "user", "tenant"], nulls_distinct=False, name="sync_device_health_once"
            )
        ]
        indexes = [models.Index(fields=["score"], name="sync_device_health_score")]
