"""Answers that need neither Django nor the database: liveness and the time."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

from mobile_sync import __version__
from mobile_sync.identity import IDENTITY


def health() -> dict[str, str]:
    """This process runs and answers; nothing is said about what it depends on (that is /readiness)."""
    return {"status": "ok", **IDENTITY, "code": __version__}


def now() -> dict[str, str]:
    """The server's time, for devices whose clock is wrong."""
    return {"now": datetime.now(UTC).isoformat(), **IDENTITY}


ANSWERS: dict[str, Callable[[], dict[str, str]]] = {"/health": health, "/api/v1/time": now}


async def quick(scope: HTTPScope, _: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """ASGI application for the paths of ANSWERS."""
    if scope["method"] in ("GET", "HEAD"):
        status, answer = 200, ANSWERS[scope["path"]]()
    else:
        status, answer = 405, {"error": "only GET"}
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
