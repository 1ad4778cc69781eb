# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application without a database: it answers probes and tells what its process was given."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

IDENTITY = "/".join(os.environ.get(f"GREENLIGHT_{name}", "none") for name in ("COLOUR", "RELEASE", "VERSION"))


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one connection."""
    if scope["type"] == "websocket":
        await echo(receive, send)
    elif scope["type"] == "http":
        status, answer = respond(scope["path"])
        headers = [(b"content-type", b"application/json"), (b"x-greenlight-served-by", IDENTITY.encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


async def echo(receive: Receive, send: Send) -> None:
    """Say every text back."""
    while True:
        event = await receive()
        if event["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        elif event["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": event["text"]})
        else:
            return


def respond(path: str) -> tuple[int, object]:
    """The status and the JSON for a path."""
    if path == "/health":
        return 200, {"status": "ok"}
    if path == "/readiness":
        ready = os.environ.get("HELLO_READY", "yes") == "yes"
        return (200, {"status": "ready"}) if ready else (503, {"status": "unready", "key": os.environ["HELLO_KEY"]})
    if path == "/environment":
        return 200, dict(os.environ)
    if path == "/writable":
        return 200, {folder: may_write(Path(folder)) for folder in ("/etc", "/opt/hello", os.environ["HOME"])}
    return 404, {}


def may_write(folder: Path) -> bool:
    """Whether this process can make a file in a folder."""
    try:
        (folder / "trial").write_text("")
    except OSError:
        return False
    return True


if os.environ.get("HELLO_CRASH"):
    raise SystemExit("hello: told to crash with key " + os.environ["HELLO_KEY"])
