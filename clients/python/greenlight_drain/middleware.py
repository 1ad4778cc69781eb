# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The middleware: keeps the WebSockets of its process, and answers the deployment on paths of its own."""

from __future__ import annotations

import hmac
import json
import math
import os
from typing import Any

from greenlight_drain import classes
from greenlight_drain.sockets import Application, OpenSocket, Receive, Scope, Send, Sockets

PREFIX = "/.greenlight/"
DRAIN, SOCKETS = "/.greenlight/drain", "/.greenlight/sockets"
TOKEN_VARIABLE = "GREENLIGHT_CONTROL_TOKEN"  # noqa: S105 - the name of the variable
TOKEN_HEADER = b"x-greenlight-control"
MOVED = 4012
SERVICE_RESTART = 1012
LARGEST_BODY = 8192
LONGEST = 86400.0


class Refused(Exception):
    """A request that is answered with ``status`` and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class DrainMiddleware:
    """Wraps an ASGI application.

    ``token``: what a request must bring; by default the environment's ``GREENLIGHT_CONTROL_TOKEN``. ``grace``: seconds
    that the application has to end after it was told that a socket leaves. ``service_restart``: whether the server can
    close with 1012 (uvicorn and hypercorn can; Daphne cannot), which is then used when it is asked for.
    """

    def __init__(
        self,
        application: Application,
        *,
        token: str | None = None,
        grace: float = 10.0,
        service_restart: bool = False,
    ) -> None:
        self._application = application
        self._token = (os.environ.get(TOKEN_VARIABLE, "") if token is None else token).encode()
        self._grace = grace
        self._service_restart = service_restart
        self._sockets = Sockets()
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, request or lifespan."""
        if scope["type"] == "websocket":
            socket = OpenSocket(classes.class_of(scope["headers"]), receive, send, self._grace)
            await self._sockets.serve(socket, self._application, scope)
        elif scope["type"] != "http":
            await self._application(scope, receive, send)
        elif scope["path"].startswith(PREFIX):
            await self._control(scope, receive, send)
        else:
            self._requests += 1
            try:
                await self._application(scope, receive, send)
            finally:
                self._requests -= 1

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._require_token(scope)
            status, answer = await self._answer(scope["method"], scope["path"], receive)
        except Refused as refused:
            status, answer = refused.status, {"error": str(refused)}
        body = json.dumps(answer).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _require_token(self, scope: Scope) -> None:
        brought = next((value for name, value in scope["headers"] if name.lower() == TOKEN_HEADER), b"")
        if not (hmac.compare_digest(brought, self._token) and self._token):
            raise Refused(404, "not found")

    async def _answer(self, method: str, path: str, receive: Receive) -> tuple[int, dict[str, Any]]:
        if path == SOCKETS and method == "GET":
            return 200, {**self._sockets.report(), "requests": self._requests}
        if path == DRAIN and method == "POST":
            return 202, self._drain(await _body(receive))
        raise Refused(405 if path in (DRAIN, SOCKETS) else 404, f"{method} {path} is not in the contract")

    def _drain(self, body: bytes) -> dict[str, Any]:
        wanted = _object(body)
        try:
            names = classes.parse(str(wanted.get("classes", "")))
        except ValueError as error:
            raise Refused(400, f"classes: {error}") from error
        over = _seconds(wanted.get("over", 0))
        code = SERVICE_RESTART if self._service_restart and wanted.get("code") == SERVICE_RESTART else MOVED
        before = self._sockets.report()
        return {"asked": self._sockets.ask(names, over, code), "code": code, **before, "requests": self._requests}


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise Refused(413, f"more than {LARGEST_BODY} bytes")
        if not message.get("more_body"):
            return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise Refused(400, "expected a JSON object")
    return value


def _seconds(value: object) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not 0 <= value <= LONGEST:  # type: ignore[operator]
        raise Refused(400, f"over: expected seconds from 0 to {LONGEST:.0f}")
    return float(value)  # type: ignore[arg-type]
