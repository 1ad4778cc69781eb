# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small application that speaks what the load and the smoke checks speak, and misbehaves on demand."""

from __future__ import annotations

import json
from collections import Counter
from urllib.parse import parse_qs, urlsplit

from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.health.server import (
    answer,
    frame,
    read_frame,
    read_request,
    shake_with,
)


class FakeApp:
    """``talk`` serves a connection. Faults: see the attributes."""

    def __init__(self) -> None:
        self.applied: Counter[str] = Counter()
        self.sockets: list = []
        self.asked: list[str] = []
        self.requests = 0
        self.fail_every = 0
        """Answer each n-th request with 503."""
        self.drain_after = 0
        """Close each socket with 4012 after n items, the last of them applied and not acknowledged."""
        self.forget = False
        """Apply an item again although it is known."""
        self.mute = False
        """Broadcasts reach only their sender."""
        self.hangup = False
        """Close without a close frame when the client says goodbye."""
        self.colour = "blue"

    def apply(self, identity: str) -> bool:
        known = identity in self.applied
        if not known or self.forget:
            self.applied[identity] += 1
        return known and not self.forget

    async def talk(self, reader, writer):
        while True:
            first, headers, body = await read_request(reader)
            method, target, _version = first.split(" ")
            self.asked.append(f"{method} {target}")
            if headers.get("upgrade") == "websocket":
                await self.websocket(headers, reader, writer)
                return
            self.requests += 1
            writer.write(self.respond(method, target, body))

    def respond(self, method, target, body):
        served = {"X_Greenlight_Served_By": f"{self.colour}/r1/v1"}
        if self.fail_every and self.requests % self.fail_every == 0:
            return answer(b"sorry", "503 Service Unavailable")
        parts = urlsplit(target)
        if parts.path == "/api/v1/sync/items":
            duplicate = self.apply(json.loads(body)["id"])
            return answer(b"{}", "200 OK" if duplicate else "201 Created", **served)
        if parts.path == "/api/v1/sync/stats":
            return answer(json.dumps(self.stats(parse_qs(parts.query))).encode(), **served)
        if parts.path == "/api/v1/uploads/init":
            return answer(b'{"upload_id": "u1", "duplicate": false}', "201 Created", **served)
        if method == "DELETE":
            return answer(status="204 No Content", **served)
        if parts.path in ("/health", "/readiness", "/api/v1/time"):
            return answer(b'{"status": "ok"}', **served)
        return answer(b"nothing here", "404 Not Found")

    def stats(self, query):
        mine = {name: count for name, count in self.applied.items() if name.startswith(query["run"][0])}
        doubled = sum(1 for count in mine.values() if count > 1)
        return {"distinct": len(mine), "doubled": doubled, "ids": sorted(mine)}

    async def websocket(self, headers, reader, writer):
        shake_with(headers, writer)
        writer.write(frame(1, json.dumps({"type": "hello", "colour": self.colour}).encode()))
        self.sockets.append(writer)
        items = 0
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == 8:
                self.sockets.remove(writer)
                if not self.hangup:
                    writer.write(frame(8, payload))
                return
            if opcode == 9:
                writer.write(frame(10, payload))
                continue
            message = json.loads(payload)
            items += message["type"] == "sync"
            if message["type"] == "sync" and items == self.drain_after:
                self.apply(message["id"])
                writer.write(frame(8, (4012).to_bytes(2, "big")))
                self.sockets.remove(writer)
                return
            self.reply(message, writer)

    def reply(self, message, writer):
        if message["type"] == "sync":
            duplicate = self.apply(message["id"])
            message = {"type": "ack", "id": message["id"], "duplicate": duplicate}
        elif message["type"] == "ping":
            message = {"type": "pong", "t": message.get("t")}
        everybody = message["type"] == "broadcast" and not self.mute
        for socket in list(self.sockets) if everybody else [writer]:
            socket.write(frame(1, json.dumps(message).encode()))
