"""Conflicts that were found, and how each was settled."""

from django.db import models
from django.db.models.functions import Now

from core.models.tenant import Tenant


class ConflictResolution(models.Model):
    """An item whose version was not newer than what was there. An open one (rule manual) has no winner."""

    class Winner(models.TextChoices):
        CLIENT = "client"
        SERVER = "server"

    tenant = models.ForeignKey(Tenant, models.CASCADE)
    item_id = models.CharField(max_length=128)
    device_id = models.CharField(max_length=128, db_default="")
    domain = models.CharField(max_length=64)
    entity = models.CharField(max_length=128)
    client_version = models.BigIntegerField()
    server_version = models.BigIntegerField()
    rule = models.CharField(max_length=32)
    winner = models.CharField(max_length=16, choices=Winner, null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "sync_conflict_resolution_log"
        indexes = [
            models.Index(fields=["created_at"], name="sync_conflict_time"),
            models.Index(fields=["tenant", "device_id", "created_at"], name="sync_conflict_device"),
        ]
