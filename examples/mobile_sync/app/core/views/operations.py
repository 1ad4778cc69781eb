"""Readiness, and a page to look at."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.services.readiness import check
from mobile_sync.identity import IDENTITY


@require_safe
def readiness(request: HttpRequest) -> JsonResponse:
    """200 if this process can do its work, 503 and what is missing if not."""
    checks = check()
    is_ready = all(part["ok"] for part in checks.values())
    answer = {"status": "ready" if is_ready else "unready", **IDENTITY, "checks": checks}
    return JsonResponse(answer, status=200 if is_ready else 503)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """A page that shows which colour answers."""
    return render(request, "core/index.html", IDENTITY)
