"""The ASGI application: quick answers, static files, Django, WebSocket; each answer says who gave it."""

import os

from asgiref.wsgi import WsgiToAsgi
from channels.routing import ProtocolTypeRouter
from django.core.asgi import get_asgi_application
from whitenoise import WhiteNoise

from mobile_sync.identity import SERVED_BY
from mobile_sync.quick import ANSWERS, quick

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mobile_sync.settings")
django = get_asgi_application()

# Django is set up from here on: what follows uses its settings.
from django.conf import settings  # noqa: E402

from core.sync.consumer import SyncConsumer  # noqa: E402
from core.sync.origin import is_welcome  # noqa: E402

SERVED_BY_HEADER = (b"x-greenlight-served-by", SERVED_BY.encode())
WEBSOCKETS = {"/ws/sync": SyncConsumer.as_asgi()}


def _not_found(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/plain")])
    return [b"no such file\n"]


static = WsgiToAsgi(
    WhiteNoise(_not_found, root=settings.STATIC_ROOT, prefix=settings.STATIC_URL, immutable_file_test=r"\.[0-9a-f]{12}\.[^/]+$")
)


async def http(scope, receive, send) -> None:
    """Chooses who answers a request, by its path."""
    if scope["path"] in ANSWERS:
        await quick(scope, receive, send)
    elif scope["path"].startswith(settings.STATIC_URL):
        await static(scope, receive, send)
    else:
        await django(scope, receive, send)


async def websocket(scope, receive, send) -> None:
    """Refuses (403) unknown paths and foreign origins."""
    consumer = WEBSOCKETS.get(scope["path"])
    if consumer and is_welcome(dict(scope["headers"]), settings.CORS_ALLOWED_ORIGINS):
        await consumer(scope, receive, send)
    else:
        await send({"type": "websocket.close"})


def served_by(inner):
    """Adds X-Greenlight-Served-By to whatever `inner` answers, the WebSocket handshake included."""

    async def application(scope, receive, send):
        async def marked(message):
            if message["type"] in ("http.response.start", "websocket.accept"):
                message["headers"] = [*(message.get("headers") or ()), SERVED_BY_HEADER]
            await send(message)

        await inner(scope, receive, marked)

    return application


application = served_by(ProtocolTypeRouter({"http": http, "websocket": websocket}))
