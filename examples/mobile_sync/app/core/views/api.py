"""What the views of the API have in common."""

import json
from typing import Any

from django.http import HttpRequest, JsonResponse

from core.services import tenants

LARGEST_BODY = 65_536


class Refused(Exception):
    """The request cannot be answered; carries the status and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def problem(status: int, reason: str) -> JsonResponse:
    """An error as the API states it: {"error": reason}."""
    return JsonResponse({"error": reason}, status=status)


def slug(request: HttpRequest) -> str:
    """The name of the tenant that a request is for."""
    return request.headers.get("X-Tenant") or tenants.DEFAULT


def tenant(request: HttpRequest) -> int:
    """The id of the tenant that a request is for; Refused (404) if there is none."""
    return known(tenants.find_now(slug(request)))


def known(tenant_id: int | None) -> int:
    """The id itself; Refused (404) for None."""
    if tenant_id is None:
        raise Refused(404, "unknown tenant: see header X-Tenant")
    return tenant_id


def body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in a request; Refused (400) if it holds none."""
    if int(request.headers.get("Content-Length") or 0) > LARGEST_BODY:
        raise Refused(413, f"the body is longer than {LARGEST_BODY} bytes")
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise Refused(400, "the body is not a JSON object")
    return content
