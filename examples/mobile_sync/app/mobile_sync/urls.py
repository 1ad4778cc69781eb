"""Addresses that Django answers; /health, /api/v1/time and /static/ are answered before it (see routing.py)."""

from django.urls import include, path

from core.views import operations

urlpatterns = [
    path("", operations.index),
    path("readiness", operations.readiness),
    path("api/v1/", include("core.urls")),
]
