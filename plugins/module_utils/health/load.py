# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load ``mixed``: paced HTTP requests and WebSockets that sync items, counted by id on both sides.

``python -m ansible_collections.greenlight.deploy.plugins.module_utils.health.load --url https://HOST --json FILE``
runs it from any host. With ``--control`` commands are read from stdin (``act NAME``, ``stop``; the end of stdin stops)
and events are written to stdout, one JSON object a line: ``second``, ``act`` (after a cut, settled), ``end``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import DEFAULT_PORTS, Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_client import ask
from ansible_collections.greenlight.deploy.plugins.module_utils.health.load_clients import (
    Phone,
    Plan,
    Shared,
    SyncClient,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.tally import Act, Tally, total
from ansible_collections.greenlight.deploy.plugins.module_utils.health.transport import run_async

GRACE = 10.0
POLL = 0.05
IDS_LIMIT = 64 << 20
CONNECTS_PER_SECOND = 100

Report = Callable[[dict[str, Any]], None]


def _ignore(event: dict[str, Any]) -> None:
    """The report of a load that nobody listens to."""
    del event


async def _grace(done: Callable[[], bool]) -> None:
    """Wait until something is done, or has had its time."""
    for _turn in range(round(GRACE / POLL)):
        if done():
            return
        await asyncio.sleep(POLL)


class Load:
    """One run of the scenario. Use: ``start``, any number of ``cut``, ``finish``; all on one event loop."""

    def __init__(self, plan: Plan, name: str = "load", report: Report | None = None) -> None:
        self._plan = plan
        self._start = time.monotonic()
        self._cpu = time.process_time()
        self._tally = Tally(name)
        self._shared = Shared(plan, self._tally, self._clock)
        self._clients = [SyncClient(self._shared, number) for number in range(plan.sockets)]
        self._phones = [Phone(self._shared, number) for number in range(plan.phones)] if plan.rate else []
        self._tasks: list[asyncio.Task[None]] = []
        self._requests: set[asyncio.Task[None]] = set()
        self._report: Report = report or _ignore
        self._server: dict[int, dict[str, Any]] = {}
        self._doubled = 0
        self._late = 0.0

    def _clock(self) -> float:
        return time.monotonic() - self._start

    def start(self) -> None:
        """Let everybody begin; the sockets connect spread over some seconds."""
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(self._sample()))
        if self._phones:
            self._tasks.append(loop.create_task(self._pace()))
        for number, client in enumerate(self._clients):
            self._tasks.append(loop.create_task(client.run(number / CONNECTS_PER_SECOND)))

    async def _pace(self) -> None:
        """Begin request ``n`` at its time, whatever became of those before it."""
        loop = asyncio.get_running_loop()
        begin = self._clock()
        number = 0
        while True:
            due = begin + number / self._plan.rate
            await asyncio.sleep(max(0.0, due - self._clock()))
            if not self._shared.working:  # the load ended while this request waited for its turn
                return
            self._late = max(self._late, self._clock() - due)
            task = loop.create_task(self._phones[number % len(self._phones)].ask(number, due))
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)
            number += 1

    async def _sample(self) -> None:
        """Once a second: note the open sockets and report how it goes."""
        while True:
            self._tally.sample(self._clock())
            self._report({"event": "second", **self.now()})
            await asyncio.sleep(1.0)

    def now(self) -> dict[str, Any]:
        """The act that is going on, in a few figures."""
        act = self._tally.act
        return {
            "act": act.name,
            "seconds": round(self._clock() - act.start, 1),
            "requests": act.requests,
            "failed": act.failed,
            "items_sent": act.items_sent,
            "items_acked": act.items_acked,
            "unacked": len(self._tally.unacked),
            "reconnects": act.reconnects,
            "away": self._away(),
            "sockets": self._tally.open_sockets(),
            "answers": dict(act.answers.get(int(self._clock()) - 1, {})),
        }

    def _away(self) -> int:
        return sum(1 for client in self._clients if client.closed_at is not None)

    async def cut(self, name: str) -> dict[str, Any]:
        """Begin act ``name``; the act that ended, once its last items are acknowledged or given up."""
        ended = self._tally.cut(name, self._clock())
        return await self._settle(ended)

    async def _settle(self, act: Act) -> dict[str, Any]:
        """Wait for the act's acknowledgements, ask the server for its own count."""
        await _grace(lambda: not self._tally.unacked_of(act))
        self._tally.settle(act)
        stats = await self._ask_server()
        if "error" not in stats:
            doubled = int(stats["doubled"])
            self._tally.server_doubled(act, doubled - self._doubled)
            self._doubled = doubled
        self._server[id(act)] = stats
        return self._describe(act)

    def _describe(self, act: Act) -> dict[str, Any]:
        return {**act.as_dict(), "server": self._server.get(id(act), {})}

    async def _ask_server(self, *, ids: bool = False) -> dict[str, Any]:
        """The server's count of this run, or ``{"error": why}``."""
        path = f"{self._plan.stats}?run={self._plan.run}{'&ids=1' if ids else ''}"
        answer = await ask(self._plan.endpoint, path, timeout=30.0, body_limit=IDS_LIMIT)
        stats = answer.json()
        wanted = ("doubled", "ids") if ids else ("doubled",)
        if not answer.ok or not isinstance(stats, dict) or any(name not in stats for name in wanted):
            return {"error": f"GET {path}: {answer.describe()} {answer.first_bytes}".strip()}
        return stats

    async def finish(self) -> dict[str, Any]:
        """Stop making requests and items, settle the last act, compare with the server; the whole result."""
        self._shared.working = False
        self._tally.end(self._clock())
        await _grace(lambda: not (self._requests or self._tally.unacked or self._away()))
        away = self._away()
        await self._settle(self._tally.act)
        stored = await self._ask_server(ids=True)
        if "error" not in stored:
            self._tally.compare(stored["ids"])
        await self._close()
        acts = [self._describe(act) for act in self._tally.acts]
        seconds = self._clock()
        return {
            "run": self._plan.run,
            "seconds": round(seconds, 3),
            "rate": self._plan.rate,
            "sockets": self._plan.sockets,
            "cpu_share": round((time.process_time() - self._cpu) / seconds, 3),
            "late_max_s": round(self._late, 3),
            "away_at_end": away,
            "server": {name: value for name, value in stored.items() if name != "ids"},
            "acts": acts,
            "total": total(acts),
        }

    async def _close(self) -> None:
        self._shared.over = True
        for task in [*self._tasks, *self._requests]:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._requests, return_exceptions=True)
        for phone in self._phones:
            phone.close()


def problems(result: dict[str, Any]) -> list[str]:
    """Why the result is not clean; empty when nothing failed, was lost or doubled and the server could be asked."""
    sums = result["total"]
    found = [
        f"{sums[name]} {name.replace('_', ' ')}" for name in ("failed", "items_lost", "items_doubled") if sums[name]
    ]
    if result["away_at_end"]:
        found.append(f"{result['away_at_end']} sockets never came back")
    if "error" in result["server"]:
        found.append(f"the server's own count is missing: {result['server']['error']}")
    return found


async def run_for(plan: Plan, seconds: float, report: Report | None = None) -> dict[str, Any]:
    """The scenario for some seconds; see :meth:`Load.finish` for the result."""
    load = Load(plan, report=report)
    load.start()
    await asyncio.sleep(seconds)
    return await load.finish()


async def run_controlled(plan: Plan, seconds: float, report: Report) -> dict[str, Any]:
    """The scenario under the commands of stdin, for at most ``seconds``."""
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    load = Load(plan, report=report)
    load.start()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        try:
            line = (await asyncio.wait_for(commands.readline(), left)).decode().strip()
        except asyncio.TimeoutError:
            break
        verb, _blank, name = line.partition(" ")
        if verb != "act":
            break
        report({"event": "act", "figures": await load.cut(name)})
    return await load.finish()


def read_url(url: str, connect: str, ca_file: str, headers: Sequence[str]) -> Endpoint:
    """The endpoint of a URL; ``connect`` is another address (``HOST`` or ``HOST:PORT``) to connect to."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(f"{url!r} is not a URL", where="--url", expected="http://HOST or https://HOST")
    tls = parts.scheme == "https"
    port = parts.port or DEFAULT_PORTS[tls]
    host, _colon, other = connect.partition(":") if connect else (parts.hostname, "", "")
    pairs = []
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon:
            raise InvalidInput(f"{header!r} is not a header", where="--header", expected="'Name: value'")
        pairs.append((name.strip(), value.strip()))
    return Endpoint(host, int(other or port), tls, parts.hostname, ca_file, tuple(pairs))


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="load", description="Mixed HTTP and WebSocket load that counts losses by id.")
    parser.add_argument("--url", required=True, help="whom to ask, e.g. https://sync.example.com")
    parser.add_argument("--connect", default="", help="address to connect to instead of the name's, HOST or HOST:PORT")
    parser.add_argument("--ca-file", default="", help="PEM file of the authorities to trust")
    parser.add_argument("--header", action="append", default=[], help="'Name: value' for every request and handshake")
    parser.add_argument("--rate", type=float, default=200.0, help="HTTP requests a second (default 200)")
    parser.add_argument("--sockets", type=int, default=300, help="WebSockets, one item a second each (default 300)")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long at most (default 30)")
    parser.add_argument("--jitter", type=float, default=0.25, help="longest pause before a reconnect (default 0.25)")
    parser.add_argument("--json", default="", help="file for the whole result")
    parser.add_argument("--control", action="store_true", help="commands on stdin, events on stdout")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; 0 when nothing failed, was lost or doubled, 1 when something was, 2 for bad input."""
    options = arguments(argv)
    try:
        endpoint = read_url(options.url, options.connect, options.ca_file, options.header)
    except GreenlightError as error:
        sys.stderr.write(f"load: {error}\n")
        return 2
    run = f"run{secrets.token_hex(4)}"
    plan = Plan(endpoint, run, rate=options.rate, sockets=options.sockets, jitter=options.jitter)

    def report(event: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()

    if options.control:
        result = run_async(run_controlled(plan, options.seconds, report))
    else:
        result = run_async(run_for(plan, options.seconds))
    found = problems(result)
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    report({"event": "end", "problems": found, **{name: result[name] for name in ("cpu_share", "seconds", "total")}})
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
