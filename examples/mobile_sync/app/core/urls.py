"""The API, below /api/v1/."""

from django.urls import include, path

from core import converters
from core.views import device_health, devices, sync, uploads

converters.register()

urlpatterns = [
    path("sync/items", sync.items),
    path("sync/stats", sync.statistics),
    path("uploads/init", uploads.start),
    path("uploads/<uuid:upload_id>", uploads.session),
    path("devices/<name:device_id>/location", devices.location),
    path("devices/<name:device_id>/health", device_health.health),
    path("voice/", include("voice_recognition.urls")),
]
