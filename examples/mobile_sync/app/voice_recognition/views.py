"""Voice verification: devices report what they compared."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from core.sync.items import NAME
from core.views import api
from voice_recognition.models import VoiceVerification

ACCEPTED_FROM = 0.85


@require_POST
def verifications(request: HttpRequest) -> JsonResponse:
    """Logs a comparison {"device", "confidence": 0..1} and says whether it is good enough."""
    body = api.body(request)
    device, confidence = body.get("device"), body.get("confidence")
    if not isinstance(device, str) or not NAME.fullmatch(device):
        raise api.Refused(400, f"device: expected a name like {NAME.pattern}")
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 <= confidence <= 1:
        raise api.Refused(400, "confidence: expected a number from 0 to 1")
    entry = VoiceVerification.objects.create(
        tenant_id=api.tenant(request),
        device_id=device,
        confidence=confidence,
        accepted=confidence >= ACCEPTED_FROM,
    )
    return JsonResponse({"device": device, "accepted": entry.accepted}, status=201)
