"""Items that devices send: each is applied once, however often it arrives."""

from django.db import models
from django.db.models.functions import Now

from core.models.tenant import Tenant


class IdempotencyRecord(models.Model):
    """A key that was used; whoever inserts it first does the work, all others are told that it is done."""

    class Scope(models.TextChoices):
        ITEM = "item"
        UPLOAD = "upload"

    tenant = models.ForeignKey(Tenant, models.CASCADE, db_index=False)
    scope = models.CharField(max_length=16, choices=Scope)
    idempotency_key = models.CharField(max_length=128)
    request_hash = models.CharField(max_length=64, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "sync_idempotency_record"
        constraints = [
            models.UniqueConstraint(fields=["idempotency_key", "tenant", "scope"], name="sync_idempotency_once")
        ]
        indexes = [models.Index(fields=["expires_at"], name="sync_idempotency_expiry")]


class AppliedItem(models.Model):
    """The effect of an item. Nothing here forbids a second row for one id: a count shows whether it ever happens."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, db_index=False)
    item_id = models.CharField(max_length=128)
    device_id = models.CharField(max_length=128, db_default="")
    domain = models.CharField(max_length=64)
    entity = models.CharField(max_length=128, null=True)
    version = models.BigIntegerField(null=True)
    payload = models.JSONField()
    applied_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "sync_applied_item"
        indexes = [
            models.Index(fields=["item_id"], opclasses=["varchar_pattern_ops"], name="sync_applied_item_prefix"),
            models.Index(
                fields=["tenant", "entity", "-version"],
                condition=models.Q(entity__isnull=False),
                name="sync_applied_item_entity",
            ),
            models.Index(fields=["applied_at"], name="sync_applied_item_time"),
        ]
