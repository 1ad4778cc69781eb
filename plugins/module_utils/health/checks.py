# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Smoke checks as data: their shapes, and one reading that names the check, the key and the nearest right key."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TIMEOUT = 10.0
IDLE = 13.0
"""Seconds that the default check holds a silent WebSocket: longer than any client library's read timeout."""

HeaderPairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class HttpExpectation:
    """What an answer must be. ``json`` is a subset, see :func:`verdict.mismatch`; ``headers`` may end in ``*``."""

    status: tuple[int, ...] = (200,)
    json: Any = None
    headers: HeaderPairs = ()
    text: str = ""


@dataclass(frozen=True)
class HttpRequest:
    """One request; strings may carry ``{unique}`` and, in a cleanup, ``{answer.some.key}``."""

    method: str = "GET"
    path: str = "/"
    headers: HeaderPairs = ()
    body: str = ""


@dataclass(frozen=True)
class HttpCheck:
    """Ask once, compare, then send the cleanup requests (each must answer 2xx or 404)."""

    name: str
    request: HttpRequest
    expect: HttpExpectation = field(default_factory=HttpExpectation)
    max_latency: float | None = None
    timeout: float = TIMEOUT
    cleanup: tuple[HttpRequest, ...] = ()

    @property
    def seconds(self) -> float:
        """The longest that this check can take."""
        return self.timeout * (1 + len(self.cleanup))


@dataclass(frozen=True)
class Exchange:
    """A message to send (JSON) and a subset of the JSON message that must come back."""

    send: Any
    expect: Any


@dataclass(frozen=True)
class WebSocketCheck:
    """Handshake; then, each if it is wanted: hello, exchange, broadcast to a second socket, ping, silence; goodbye.

    ``idle`` seconds of silence are followed by the exchange again (a ping when there is none).
    """

    name: str
    path: str
    headers: HeaderPairs = ()
    hello: Any = None
    exchange: Exchange | None = None
    broadcast: Exchange | None = None
    idle: float = 0.0
    ping: bool = True
    timeout: float = TIMEOUT
    cleanup: tuple[HttpRequest, ...] = ()

    @property
    def seconds(self) -> float:
        """The longest that this check can take when each step takes its full time."""
        return self.idle + self.timeout * (1 + len(self.cleanup))


Check: TypeAlias = "HttpCheck | WebSocketCheck"

_HTTP_KEYS = (
    "name", "kind", "method", "path", "headers", "body", "json", "expect", "max_latency", "timeout", "cleanup",
)  # fmt: skip
_WEBSOCKET_KEYS = (
    "name", "kind", "path", "headers", "expect_hello", "send", "expect", "broadcast", "idle", "ping", "timeout",
    "cleanup",
)  # fmt: skip
_EXPECT_KEYS = ("status", "json", "headers", "text")
_CLEANUP_KEYS = ("method", "path", "headers", "body", "json")


def default_checks(health: str = "", readiness: str = "", websocket: str = "") -> tuple[Check, ...]:
    """The checks for an application that lists none: each path that is given must answer."""
    checks: list[Check] = [
        HttpCheck(name, HttpRequest(path=path)) for name, path in (("health", health), ("readiness", readiness)) if path
    ]
    if websocket:
        checks.append(WebSocketCheck("websocket", websocket, idle=IDLE))
    return tuple(checks)


def parse_checks(raw: object, where: str = "greenlight_smoke") -> tuple[Check, ...]:
    """Read the user's list. Raises InvalidInput naming the check, the key, and the nearest right key."""
    if not isinstance(raw, Sequence) or isinstance(raw, (str, bytes)):
        raise InvalidInput(f"checks are {_kind(raw)}", where=where, expected="a list of checks")
    checks = tuple(_parse_check(item, f"{where}[{index}]") for index, item in enumerate(raw))
    names = [check.name for check in checks]
    for name in names:
        if names.count(name) > 1:
            raise InvalidInput(f"two checks are named {name!r}", where=where, expected="names that differ")
    return checks


def _parse_check(raw: object, where: str) -> Check:
    item = _Reader(raw, where)
    name = item.text("name")
    item.where = f"{where} ({name})"
    kind = item.choice("kind", ("http", "websocket"), "http")
    return _parse_http(item, name) if kind == "http" else _parse_websocket(item, name)


def _parse_http(item: _Reader, name: str) -> HttpCheck:
    item.only(_HTTP_KEYS)
    expect = item.child("expect")
    expect.only(_EXPECT_KEYS)
    return HttpCheck(
        name=name,
        request=_parse_request(item),
        expect=HttpExpectation(expect.statuses(), expect.get("json"), expect.headers(), expect.text("text", "")),
        max_latency=item.seconds("max_latency", None),
        timeout=item.seconds("timeout", TIMEOUT) or TIMEOUT,
        cleanup=_parse_cleanup(item),
    )


def _parse_websocket(item: _Reader, name: str) -> WebSocketCheck:
    item.only(_WEBSOCKET_KEYS)
    broadcast = None
    if item.get("broadcast") is not None:
        child = item.child("broadcast")
        child.only(("send", "expect"))
        broadcast = _parse_exchange(child)
    return WebSocketCheck(
        name=name,
        path=item.path(),
        headers=item.headers(),
        hello=item.get("expect_hello"),
        exchange=_parse_exchange(item) if "send" in item.values or "expect" in item.values else None,
        broadcast=broadcast,
        idle=item.seconds("idle", 0.0) or 0.0,
        ping=item.flag("ping", default=True),
        timeout=item.seconds("timeout", TIMEOUT) or TIMEOUT,
        cleanup=_parse_cleanup(item),
    )


def _parse_exchange(item: _Reader) -> Exchange:
    for key in ("send", "expect"):
        if item.get(key) is None:
            raise InvalidInput(f"{key!r} is missing", where=item.where, expected="both 'send' and 'expect'")
    return Exchange(item.get("send"), item.get("expect"))


def _parse_cleanup(item: _Reader) -> tuple[HttpRequest, ...]:
    raw = item.get("cleanup") or []
    if not isinstance(raw, list):
        raise InvalidInput(f"'cleanup' is {_kind(raw)}", where=item.where, expected="a list of requests")
    requests = [_Reader(part, f"{item.where}.cleanup[{index}]") for index, part in enumerate(raw)]
    for request in requests:
        request.only(_CLEANUP_KEYS)
    return tuple(_parse_request(request, method="DELETE") for request in requests)


def _parse_request(item: _Reader, method: str = "") -> HttpRequest:
    """A request; without a method it is a POST when it has a body, else a GET."""
    headers = item.headers()
    body = item.text("body", "")
    if item.get("json") is not None:
        if body:
            raise InvalidInput("'body' and 'json' are both given", where=item.where, expected="one of them")
        body = json.dumps(item.get("json"))
        headers = (("Content-Type", "application/json"), *headers)
    fallback = method or ("POST" if body else "GET")
    return HttpRequest(item.choice("method", METHODS, fallback), item.path(), headers, body)


class _Reader:
    """One mapping of the user's and where it stands, read key by key."""

    def __init__(self, raw: object, where: str) -> None:
        if not isinstance(raw, Mapping):
            raise InvalidInput(f"it is {_kind(raw)}", where=where, expected="keys and values")
        self.values: Mapping[str, Any] = raw
        self.where = where

    def _wrong(self, key: str, expected: str) -> InvalidInput:
        return InvalidInput(f"{key!r} is {self.get(key)!r}", where=self.where, expected=expected)

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def child(self, key: str) -> _Reader:
        value = self.get(key)
        return _Reader({} if value is None else value, f"{self.where}.{key}")

    def only(self, known: Iterable[str]) -> None:
        names = list(known)
        for key in self.values:
            if key not in names:
                near = difflib.get_close_matches(str(key), names, 1, 0.5)
                do = f"write {near[0]!r}" if near else ""
                raise InvalidInput(f"unknown key {key!r}", where=self.where, expected=f"one of {_listed(names)}", do=do)

    def text(self, key: str, default: str | None = None) -> str:
        value = self.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (default is None and not value.strip()):
            if value is None:
                raise InvalidInput(f"{key!r} is missing", where=self.where, expected="a text")
            raise self._wrong(key, "a text that is not empty" if default is None else "a text")
        return value

    def path(self) -> str:
        path = self.text("path")
        if not path.startswith("/") or any(letter.isspace() for letter in path):
            raise self._wrong("path", "a path that begins with / and has no blanks")
        return path

    def choice(self, key: str, allowed: Sequence[str], default: str) -> str:
        value = self.get(key) or default
        if value not in allowed:
            raise self._wrong(key, f"one of {_listed(allowed)}")
        return str(value)

    def flag(self, key: str, *, default: bool) -> bool:
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def seconds(self, key: str, default: float | None) -> float | None:
        value = self.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 3600:
            raise self._wrong(key, "seconds, more than 0 and at most 3600")
        return float(value)

    def statuses(self) -> tuple[int, ...]:
        value = self.get("status")
        wanted = (200,) if value is None else tuple(value) if isinstance(value, list) else (value,)
        numbers = [status for status in wanted if isinstance(status, int) and not isinstance(status, bool)]
        if not wanted or numbers != list(wanted) or not all(100 <= status <= 599 for status in numbers):
            raise self._wrong("status", "a status from 100 to 599, or a list of them")
        return wanted

    def headers(self) -> HeaderPairs:
        value = self.get("headers")
        if value is None:
            return ()
        pairs = tuple((name, str(text)) for name, text in value.items()) if isinstance(value, Mapping) else None
        if pairs is None or any("\n" in name + text or "\r" in name + text for name, text in pairs):
            raise self._wrong("headers", "names with their values, each on one line")
        return pairs


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _kind(value: object) -> str:
    return "empty" if value is None else f"{value!r}, not" if isinstance(value, (str, int)) else type(value).__name__
