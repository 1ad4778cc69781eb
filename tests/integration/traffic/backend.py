# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small upstream: says its name, holds WebSockets open, can be told to fail.

As a program: ``backend.py COLOUR PORT``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Backend:
    """Listens on 127.0.0.1 (port 0: a free one) and answers JSON: its colour, and the headers that it was sent."""

    def __init__(self, colour: str, port: int = 0) -> None:
        self.colour = colour
        self.status = 200
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.backend = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def join(self) -> None:
        """Serve until the end of the process."""
        self._thread.join()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024
    backend: Backend


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        if self.headers.get("Upgrade") == "websocket":
            self._hold()
            return
        self._answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def _answer(self) -> None:
        backend = self.server.backend
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"colour": backend.colour, "headers": headers, "path": self.path}).encode()
        self.send_response(backend.status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Greenlight-Upstream", "a lie of the application")
        self.end_headers()
        self.wfile.write(body)

    def _hold(self) -> None:
        """Shake hands, say the colour in one text frame, then wait for the end."""
        digest = hashlib.sha1(self.headers["Sec-WebSocket-Key"].encode() + _GUID, usedforsecurity=False).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.end_headers()
        colour = self.server.backend.colour.encode()
        self.wfile.write(bytes([0x81, len(colour)]) + colour)
        while self.rfile.read(1):
            pass
        self.close_connection = True

    def log_message(self, *_arguments: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    Backend(sys.argv[1], int(sys.argv[2])).join()
