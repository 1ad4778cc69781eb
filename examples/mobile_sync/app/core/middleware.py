"""Middleware of this application."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse

from core.views.api import Refused, problem

GetResponse = Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]
PROBED_BY_ADDRESS = "/readiness"


class GateMiddleware:
    """Refuses (400) requests for a host that is not ours, and states refusals of views as the API does.

    The readiness probe asks an instance by its address, so its host is not looked at.
    """

    sync_capable = async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if request.path != PROBED_BY_ADDRESS:
            request.get_host()
        return self.get_response(request)

    def process_exception(self, _: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The answer for a Refused, None for any other exception."""
        return problem(exception.status, str(exception)) if isinstance(exception, Refused) else None
