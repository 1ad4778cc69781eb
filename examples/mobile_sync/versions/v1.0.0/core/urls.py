"""The API, below /api/v1/."""

from django.urls import path

from core import converters
from core.views import devices, sync, uploads

converters.register()

urlpatterns = [
    path("sync/items", sync.items),
    path("sync/stats", sync.statistics),
    path("uploads/init", uploads.start),
    path("uploads/<uuid:upload_id>", uploads.session),
    path("devices/<name:device_id>/location", devices.location),
]
