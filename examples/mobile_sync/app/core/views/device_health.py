"""Devices: how well their synchronisation goes."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from core.services import device_health
from core.views import api


@require_GET
def health(request: HttpRequest, device_id: str) -> JsonResponse:
    """A device's score and what it was made of; 404 for a device that never sent anything."""
    found = device_health.current(api.tenant(request), device_id)
    if found is None:
        raise api.Refused(404, "this device sent nothing within a day")
    fields = ("score", "items", "conflicts", "last_sync_at")
    return JsonResponse({"device": device_id, **{name: getattr(found, name) for name in fields}})
