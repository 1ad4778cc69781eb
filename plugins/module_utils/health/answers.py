# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a probe brings back: an answer, or the kind of failure, never an exception for a fault of the network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError

FIRST_BYTES = 200


class ProbeError(GreenlightError):
    """A request, handshake or message that did not succeed.

    ``kind`` is one of ``connect``, ``tls``, ``timeout``, ``closed``, ``protocol``, ``too_large``, ``handshake``.
    ``status`` is the HTTP status when one was seen, else 0. ``first_bytes`` is the start of the body that came with it.
    """

    def __init__(self, kind: str, what: str, *, where: str = "", status: int = 0, first_bytes: str = "") -> None:
        super().__init__(what, where=where)
        self.kind = kind
        self.status = status
        self.first_bytes = first_bytes


def printable(data: bytes, limit: int = FIRST_BYTES) -> str:
    """The first ``limit`` bytes as one line of text; what cannot be printed becomes a dot."""
    text = data[:limit].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " if letter.isspace() else "." for letter in text).strip()


def parse_json(data: bytes | str) -> object | None:
    """The JSON value in ``data``, or None when it is none."""
    try:
        value: object = json.loads(data)
    except ValueError:
        return None
    return value


def in_ms(seconds: float) -> str:
    """A duration for people: ``12 ms``."""
    return f"{seconds * 1000:.0f} ms"


@dataclass(frozen=True)
class HttpAnswer:
    """The answer to one HTTP request; ``status`` 0 and ``error`` when there was none.

    ``headers`` have lower-case names, repeated ones are joined by a comma. ``latency_s`` runs from the start
    (connecting included, when that was needed) to the last byte.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    latency_s: float = 0.0
    error: str = ""
    kind: str = ""

    @property
    def ok(self) -> bool:
        """Whether a whole answer with a status of 200 to 299 came."""
        return not self.error and 200 <= self.status < 300

    @property
    def first_bytes(self) -> str:
        """The start of the body, printable."""
        return printable(self.body)

    def header(self, name: str) -> str:
        """The value of a header, empty when it is absent."""
        return self.headers.get(name.lower(), "")

    def json(self) -> object | None:
        """The body as JSON, None when it is not JSON."""
        return parse_json(self.body)

    def describe(self) -> str:
        """One phrase for people."""
        return self.error or f"{self.status} in {in_ms(self.latency_s)}"


@dataclass(frozen=True)
class WebSocketAnswer:
    """How a handshake and the first message went; ``close_code`` is 0 when the server did not close."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    first_message: str = ""
    close_code: int = 0
    latency_s: float = 0.0
    error: str = ""
    kind: str = ""
    first_bytes: str = ""

    @property
    def ok(self) -> bool:
        """Whether all that was asked for came."""
        return not self.error

    def json(self) -> object | None:
        """The first message as JSON, None when it is not JSON."""
        return parse_json(self.first_message)

    def describe(self) -> str:
        """One phrase for people."""
        return self.error or f"{self.status} in {in_ms(self.latency_s)}"
