"""Announces uploads, each once for its idempotency key."""

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.models import IdempotencyRecord, UploadSession

CHUNK_BYTES = 1_048_576
LARGEST_UPLOAD = 2 * 1024**3
TEXTS = {"filename": 255, "mime_type": 127, "file_hash": 128}


class InvalidUpload(ValueError):
    """The announcement cannot be taken; says why."""


class KeyReused(ValueError):
    """The idempotency key was used for another upload."""


def checked(body: Any) -> dict[str, Any]:
    """The four known fields of an announcement {"filename", "total_size", "mime_type", "file_hash"}."""
    if not isinstance(body, dict):
        raise InvalidUpload("expected a JSON object")
    for name, longest in TEXTS.items():
        value = body.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= longest or "\0" in value:
            raise InvalidUpload(f"{name}: expected a string of 1 to {longest} characters")
    if type(body.get("total_size")) is not int or not 0 < body["total_size"] <= LARGEST_UPLOAD:
        raise InvalidUpload(f"total_size: expected a whole number of bytes from 1 to {LARGEST_UPLOAD}")
    return {name: body[name] for name in (*TEXTS, "total_size")}


@transaction.atomic
def start(tenant_id: int, key: str, body: dict[str, Any]) -> tuple[UploadSession, bool]:
    """The session for a checked announcement, and whether the key was known already."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    record, is_new = IdempotencyRecord.objects.get_or_create(
        tenant_id=tenant_id,
        scope=IdempotencyRecord.Scope.UPLOAD,
        idempotency_key=key,
        defaults={
            "request_hash": digest,
            "expires_at": timezone.now() + timedelta(hours=settings.SYNC_IDEMPOTENCY_HOURS),
        },
    )
    if record.request_hash != digest:
        raise KeyReused("this idempotency key was used for another upload: choose a new one")
    if is_new:
        return UploadSession.objects.create(tenant_id=tenant_id, record=record, **body), False
    return UploadSession.objects.select_related("record").get(record=record), True


def abandon(tenant_id: int, upload_id: UUID) -> bool:
    """Forgets an upload and its key; False if there is none."""
    deleted, _ = IdempotencyRecord.objects.filter(tenant_id=tenant_id, uploadsession__id=upload_id).delete()
    return bool(deleted)
