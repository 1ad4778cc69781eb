"""Uploads that a device may interrupt and take up again."""

import uuid

from django.db import models

from core.models.sync import IdempotencyRecord
from core.models.tenant import Tenant


class UploadSession(models.Model):
    """An announced file. It goes with its idempotency record: both expire together."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    tenant = models.ForeignKey(Tenant, models.CASCADE)
    record = models.OneToOneField(IdempotencyRecord, models.CASCADE)
    filename = models.CharField(max_length=255)
    mime_type = models.CharField(max_length=127)
    file_hash = models.CharField(max_length=128)
    total_size = models.BigIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "sync_upload_session"
