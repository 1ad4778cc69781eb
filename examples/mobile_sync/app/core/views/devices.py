"""Devices: where they are."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from core.services import devices
from core.views import api


def _degrees(body: dict, name: str, limit: int) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -limit <= value <= limit:
        raise api.Refused(400, f"{name}: expected degrees from -{limit} to {limit}")
    return float(value)


@require_http_methods(["PUT"])
def location(request: HttpRequest, device_id: str) -> HttpResponse:
    """Remembers a device's position {"lon", "lat"}."""
    body = api.body(request)
    devices.place(api.tenant(request), device_id, _degrees(body, "lon", 180), _degrees(body, "lat", 90))
    return HttpResponse(status=204)
