# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP/1.1 on the wire: the bytes of a request, and a reader that is fed the bytes of one response."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import ProbeError, printable

HEAD_LIMIT = 65536
LINE_LIMIT = 8192
Headers = Iterable[tuple[str, str]]


def render_request(method: str, path: str, host: str, headers: Headers = (), body: bytes = b"") -> bytes:
    """The bytes of one request. Host and Content-Length are ours; the rest of the headers is the caller's.

    Raises ValueError for a line break in any part, which would let one request become two.
    """
    pairs = [("Host", host), *headers]
    if body or method in ("POST", "PUT", "PATCH"):
        pairs.append(("Content-Length", str(len(body))))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in pairs)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in the method, path or headers of a request")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


def parse_head(head: bytes) -> tuple[str, int, dict[str, str]]:
    """``(version, status, headers)`` of a response's head, without the empty line at its end.

    Header names become lower-case; repeated headers are joined by ", ". Raises ProbeError (``protocol``).
    """
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _blank, rest = first.partition(" ")
    code = rest[:3]
    if not version.startswith("HTTP/1.") or not code.isdigit() or len(code) != 3:
        raise ProbeError("protocol", f"not an HTTP/1.1 answer: {printable(head, 60)!r}")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise ProbeError("protocol", f"broken header line {printable(line.encode('latin-1'), 60)!r}")
        key, value = name.lower(), value.strip()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return version, int(code), headers


class ResponseReader:
    """Reads one response from bytes as they come.

    After ``feed`` or ``finish`` has returned True: ``status``, ``headers``, ``body``, ``keep_alive`` (whether the
    connection may be used again) and ``rest`` (bytes after the response).
    """

    def __init__(self, method: str = "GET", body_limit: int = HEAD_LIMIT) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.rest = b""
        self.keep_alive = False
        self._method = method
        self._limit = body_limit
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._size = 0
        self._wanted = 0
        self._until_close = False
        self._step: Callable[[], bool] = self._read_head
        self.complete = False

    @property
    def started(self) -> bool:
        """Whether any byte of the response has come."""
        return bool(self._buffer or self.status)

    def feed(self, data: bytes) -> bool:
        """Take bytes; True once the response is whole. Raises ProbeError (``protocol``, ``too_large``)."""
        self._buffer += data
        while not self.complete and self._step():
            pass
        return self.complete

    def finish(self) -> bool:
        """The connection was closed: True if that is a proper end of the response."""
        if self._until_close and not self.complete:
            self._end()
        return self.complete

    def _end(self) -> bool:
        self.body = b"".join(self._parts)
        self.rest = bytes(self._buffer)
        self._buffer.clear()
        self.complete = True
        return False

    def _line(self, limit: int) -> bytes | None:
        """The next line without its end, None while it is not whole."""
        end = self._buffer.find(b"\r\n", 0, limit)
        if end < 0:
            if len(self._buffer) >= limit:
                raise ProbeError("protocol", f"a line longer than {limit} bytes", status=self.status)
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 and len(self._buffer) <= HEAD_LIMIT:
            return False
        if end < 0 or end > HEAD_LIMIT:
            raise ProbeError("protocol", f"response head larger than {HEAD_LIMIT} bytes")
        version, status, headers = parse_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        if 100 <= status < 200 and status != 101:
            return True
        self.status, self.headers = status, headers
        options = [option.strip() for option in headers.get("connection", "").lower().split(",")]
        self.keep_alive = "close" not in options and (version == "HTTP/1.1" or "keep-alive" in options)
        return self._choose_body()

    def _choose_body(self) -> bool:
        if self._method == "HEAD" or self.status in (101, 204, 304):
            return self._end()
        if "transfer-encoding" in self.headers:
            if self.headers["transfer-encoding"].lower() != "chunked":
                raise self._broken(f"transfer encoding {self.headers['transfer-encoding']!r}")
            self._step = self._read_chunk_size
            return True
        if "content-length" in self.headers:
            length = self.headers["content-length"]
            if not (length.isascii() and length.isdigit()):
                raise self._broken(f"content length {length!r}")
            self._wanted = int(length)
            self._check_size(self._wanted)
            self._step = self._read_length
            return True
        self._until_close, self.keep_alive = True, False
        self._step = self._read_until_close
        return True

    def _broken(self, what: str) -> ProbeError:
        return ProbeError("protocol", f"answer with {what}", status=self.status)

    def _check_size(self, size: int) -> None:
        if size > self._limit:
            first = printable(b"".join(self._parts) + bytes(self._buffer))
            what = f"body larger than {self._limit} bytes"
            raise ProbeError("too_large", what, status=self.status, first_bytes=first)

    def _take(self, count: int) -> None:
        part = bytes(self._buffer[:count])
        del self._buffer[: len(part)]
        self._parts.append(part)
        self._size += len(part)
        self._wanted -= len(part)

    def _read_length(self) -> bool:
        self._take(self._wanted)
        return self._wanted == 0 and self._end()

    def _read_until_close(self) -> bool:
        self._check_size(self._size + len(self._buffer))
        self._take(len(self._buffer))
        return False

    def _read_chunk_size(self) -> bool:
        line = self._line(LINE_LIMIT)
        if line is None:
            return False
        digits = line.split(b";", 1)[0].strip()
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise self._broken(f"chunk size {printable(line, 30)!r}")
        self._wanted = int(digits, 16)
        self._check_size(self._size + self._wanted)
        self._step = self._read_chunk if self._wanted else self._read_trailer
        return True

    def _read_chunk(self) -> bool:
        if self._wanted:
            self._take(self._wanted)
            if self._wanted:
                return False
        if len(self._buffer) < 2:
            return False
        if self._buffer[:2] != b"\r\n":
            raise self._broken("a chunk longer than it says")
        del self._buffer[:2]
        self._step = self._read_chunk_size
        return True

    def _read_trailer(self) -> bool:
        line = self._line(LINE_LIMIT)
        if line is None:
            return False
        return line != b"" or self._end()
