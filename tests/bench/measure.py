# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One way under clients: a deployment, the way back, a release that is bad; what the clients met each time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.bench.ways import BAD, SECOND, Ours, Way
from tests.stage.command import Command
from tests.stage.project import CA_FILE, DOMAIN, Project
from tools.console import Trouble
from tools.demo_traffic import Aim, Traffic
from tools.journey import wait_for_sockets
from tools.places import LOGS

Figures = dict[str, float]

SETTLE_SECONDS = 4.0
QUIET_SECONDS = 2.0
REST = "rest"
VERDICT = r"\bfail$|^\[ERROR\]|^fatal: "


@dataclass(frozen=True)
class Act:
    """What clients met while something was done: ``counts`` of the load, ``began`` on this process's clock."""

    counts: Mapping[str, Any]
    began: float
    seconds: float


def measure(way: Way, project: Project, rate: float, sockets: int, *, bad: bool = True) -> Figures:
    """Play the acts of one way once; its figures by name."""
    way.begin()
    aim = Aim(DOMAIN, f"{project.edge.address}:{way.port}", CA_FILE, rate, sockets)
    with Traffic(aim) as traffic:
        wait_for_sockets(traffic, sockets)
        time.sleep(QUIET_SECONDS)
        figures = moved("deploy", play(traffic, sockets, lambda: way.deploy(SECOND)), sockets)
        left = colour_of(traffic)
        back = play(traffic, sockets, way.back)
        figures |= moved("rollback", back, sockets)
        if isinstance(way, Ours) and way.run is not None:
            figures["rollback: Enter to the last answer of the colour that was left, s"] = since(way.run, back, left)
        if bad:
            figures |= _bad(way, traffic, sockets)
        result, _problems = traffic.finish()
    (LOGS / f"bench-{type(way).__name__.lower()}.traffic.json").write_text(json.dumps(result, indent=1) + "\n")
    return figures


def _bad(way: Way, traffic: Traffic, sockets: int) -> Figures:
    def act() -> None:
        way.deploy(BAD)
        way.back()

    home = colour_of(traffic)
    played = play(traffic, sockets, act)
    figures = hurt(played)
    if isinstance(way, Ours) and way.run is not None:
        bad = "green" if home == "blue" else "blue"
        figures["bad release: verdict to the last answer of its colour, s"] = round(
            since(way.run, played, bad) - verdict_at(way.run), 2
        )
    return figures


def play(traffic: Traffic, sockets: int, what: Callable[[], None]) -> Act:
    """Do something and wait until every client is back; what they met until then."""
    began = time.monotonic()
    traffic.cut("act")
    started = time.monotonic()
    what()
    seconds = time.monotonic() - started
    time.sleep(SETTLE_SECONDS)
    with suppress(Trouble):  # after a way that refused so many, some come back late: what they met is counted as it is
        wait_for_sockets(traffic, sockets)
    return Act(traffic.cut(REST), began, seconds)


def moved(name: str, act: Act, sockets: int) -> Figures:
    """The figures of a deployment or a way back that is meant to hurt nobody."""
    counts = act.counts
    refused = handshakes(counts)
    return {
        f"{name}: failed requests": counts["failed"] - refused,
        f"{name}: refused WebSocket handshakes": refused,
        f"{name}: items lost": counts["items_lost"],
        f"{name}: items doubled": counts["items_doubled"],
        f"{name}: WebSockets away, p50, s": counts["away_p50_s"],
        f"{name}: WebSockets away, p99, s": counts["away_p99_s"],
        f"{name}: WebSockets away, longest, s": counts["away_max_s"],
        f"{name}: reconnects per WebSocket": round(counts["reconnects"] / sockets, 3) if sockets else 0.0,
        f"{name}: command, s": round(act.seconds, 1),
    }


def hurt(act: Act) -> Figures:
    """The figures of a release that answers 500."""
    counts = act.counts
    first = counts["failure_times"][0][0] - counts["start_s"] if counts["failure_times"] else None
    ill = 0.0 if first is None else counts["last_failed_s"] - first
    refused = handshakes(counts)
    failed = counts["failed"] - refused
    return {
        "bad release: failed requests": failed,
        "bad release: share of the requests meanwhile, %": round(100 * failed / (counts["requests"] - refused), 3),
        "bad release: refused WebSocket handshakes": refused,
        "bad release: first to last failure, s": round(ill, 1),
        "bad release: commands, s": round(act.seconds, 1),
    }


def handshakes(counts: Mapping[str, Any]) -> int:
    """How many of the failures were WebSocket handshakes; who is refused tries again soon, and is counted again."""
    return sum(int(number) for kind, number in counts["failures"].items() if kind.startswith("handshake"))


def colour_of(traffic: Traffic) -> str:
    """The colour that has most of the WebSockets."""
    now = traffic.now["sockets"] if traffic.now else {}
    return max(now, key=lambda colour: int(now[colour]), default="")


def since(run: Command, act: Act, colour: str) -> float:
    """Seconds from the start of a command to the last request that ``colour`` answered in the act."""
    last: float = act.counts["last_answers"].get(colour, 0.0)
    return round(max(0.0, act.began + last - run.started), 2)


def verdict_at(run: Command) -> float:
    """When a deployment first said that a share, or any task, failed; in seconds since its start."""
    return next((at for at, line in run.lines if re.search(VERDICT, line)), 0.0)
