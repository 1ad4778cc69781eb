"""What a bad release does to its users, on purpose: MOBILE_SYNC_FAULT names it.

`name` or `name=number`, several with commas: `errors=5,wait_for_clients`. The same requests meet the same faults in
each run: every n-th, nothing by chance.

| Name | What happens |
|---|---|
| `crash_at_once` | the process ends as soon as it is loaded |
| `crash_after=SECONDS` | the process ends some seconds after it was loaded |
| `errors=PERCENT` | so many of the requests are answered 500 |
| `slow=SECONDS` | one in twenty requests is answered so much later |
| `refuse_websockets` | each handshake is answered 403 |
| `ignore_drain` | sockets that are asked to leave stay |
| `wait_for_clients` | later crashes, errors, delays and refusals begin with the first request for time or items |

`/health` and `/readiness` go on saying that all is well, and instances can still be asked to let their sockets go.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

WITH_NUMBER = ("crash_after", "errors", "slow")
ALONE = ("crash_at_once", "refuse_websockets", "ignore_drain", "wait_for_clients")
SPARED = ("/health", "/readiness", "/.greenlight/")  # the drain contract is around everything, faults too
FIRST_CLIENT = ("/api/v1/sync/items", "/api/v1/time")
SLOW_PERCENT = 5
CRASHED = 70


def parse(text: str) -> dict[str, float]:
    """The faults in MOBILE_SYNC_FAULT with their numbers; ValueError for what is none."""
    faults = {}
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = word.partition("=")
        if name not in (WITH_NUMBER if equals else ALONE):
            raise ValueError(
                f"MOBILE_SYNC_FAULT: {word!r} is no fault, expected one of "
                f"{', '.join([*(f'{each}=NUMBER' for each in WITH_NUMBER), *ALONE])}"
            )
        faults[name] = float(number) if equals else 1.0
    return faults


def is_hit(number: int, percent: float) -> bool:
    """Whether the `number`-th request (from 1) is one of `percent`, evenly spread."""
    return int(number * percent / 100) > int((number - 1) * percent / 100)


def crash() -> None:
    """Ends the process as a fault in its C code would."""
    os._exit(CRASHED)


def ignore(*_: Any) -> None:
    """Does nothing, whatever was asked."""


class Faulty:
    """An ASGI application around `inner` that does what `faults` say; `headers` go with the answers of its own."""

    def __init__(self, inner: Application, faults: Mapping[str, float], headers: Headers) -> None:
        self._inner = inner
        self._faults = faults
        self._headers = headers
        self._requests = 0
        self._is_awake = False
        if self.has("crash_at_once"):
            crash()
        if not self.has("wait_for_clients"):
            self._wake()

    def has(self, name: str) -> bool:
        """Whether a fault was asked for."""
        return name in self._faults

    def _wake(self) -> None:
        self._is_awake = True
        if self.has("crash_after"):
            timer = threading.Timer(self._faults["crash_after"], crash)
            timer.daemon = True
            timer.start()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one request or one socket."""
        if scope["type"] == "http" and scope["path"] in FIRST_CLIENT and not self._is_awake:
            self._wake()
        if self._is_awake and scope["type"] == "websocket" and self.has("refuse_websockets"):
            await send({"type": "websocket.close"})
        elif self._is_awake and scope["type"] == "http" and not scope["path"].startswith(SPARED):
            await self._answer(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        self._requests += 1
        if self.has("slow") and is_hit(self._requests, SLOW_PERCENT):
            await asyncio.sleep(self._faults["slow"])
        if not is_hit(self._requests, self._faults.get("errors", 0)):
            await self._inner(scope, receive, send)
            return
        body = b'{"error": "a fault on purpose"}'
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *self._headers]
        await send({"type": "http.response.start", "status": 500, "headers": headers})
        await send({"type": "http.response.body", "body": body})
