"""Who answers what: quick answers, static files, Django, WebSocket; each answer says who gave it."""

from collections.abc import Callable, Iterable
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from asgiref.wsgi import WsgiToAsgi
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from whitenoise import WhiteNoise

from core.sync.consumer import SyncConsumer
from core.sync.origin import is_welcome
from greenlight_drain import DrainMiddleware
from mobile_sync.identity import SERVED_BY
from mobile_sync.quick import ANSWERS, quick

SERVED_BY_HEADER = (b"x-greenlight-served-by", SERVED_BY.encode())
django = ASGIHandler()
WEBSOCKETS = {"/ws/sync": SyncConsumer.as_asgi()}


def _not_found(_: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"no such file\n"]


static = WsgiToAsgi(
    WhiteNoise(
        _not_found, root=settings.STATIC_ROOT, prefix=settings.STATIC_URL, immutable_file_test=r"\.[0-9a-f]{12}\.[^/]+$"
    )
)


async def http(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Chooses who answers a request, by its path."""
    if scope["path"] in ANSWERS:
        await quick(scope, receive, send)
    elif scope["path"].startswith(settings.STATIC_URL):
        await static(scope, receive, send)
    else:
        await django(scope, receive, send)


async def websocket(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Refuses (403) unknown paths and foreign origins."""
    consumer = WEBSOCKETS.get(scope["path"])
    if consumer and is_welcome(dict(scope["headers"]), settings.CORS_ALLOWED_ORIGINS):
        await consumer(scope, receive, send)
    else:
        await send({"type": "websocket.close"})


def served_by(inner: ASGI3Application) -> ASGI3Application:
    """Adds X-Greenlight-Served-By to whatever `inner` answers, the WebSocket handshake included."""

    async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        async def marked(message: dict[str, Any]) -> None:
            if message["type"] in ("http.response.start", "websocket.accept"):
                message["headers"] = [*(message.get("headers") or ()), SERVED_BY_HEADER]
            await send(message)

        await inner(scope, receive, marked)

    return application


application = DrainMiddleware(served_by(ProtocolTypeRouter({"http": http, "websocket": websocket})))
