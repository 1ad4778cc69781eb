"""Resumable uploads: announcing and giving up."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods, require_POST

from core.services import uploads
from core.sync.items import NAME
from core.views import api
from mobile_sync.identity import COLOUR


@require_POST
def start(request: HttpRequest) -> JsonResponse:
    """Announces a file: 201, or 200 with the same session if header Idempotency-Key was seen with this body."""
    key = request.headers.get("Idempotency-Key", "")
    if not NAME.fullmatch(key):
        raise api.Refused(400, f"header Idempotency-Key: expected one like {NAME.pattern}")
    try:
        session, is_known = uploads.start(api.tenant(request), key, uploads.checked(api.body(request)))
    except uploads.InvalidUpload as error:
        raise api.Refused(400, str(error)) from error
    except uploads.KeyReused as error:
        raise api.Refused(409, str(error)) from error
    answer = {
        "upload_id": session.id,
        "chunk_size": uploads.CHUNK_BYTES,
        "chunks": -(-session.total_size // uploads.CHUNK_BYTES),
        "expires_at": session.record.expires_at,
        "duplicate": is_known,
        "colour": COLOUR,
    }
    return JsonResponse(answer, status=200 if is_known else 201)


@require_http_methods(["DELETE"])
def session(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Gives an upload up, and its key with it."""
    if not uploads.abandon(api.tenant(request), upload_id):
        raise api.Refused(404, "no such upload")
    return HttpResponse(status=204)
