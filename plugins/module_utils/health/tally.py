# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts what happened to requests, items and sockets, act by act; knows no clock and no network.

Times are seconds since the start of the load. An item belongs to the act in which it was first sent, whenever its
acknowledgement comes.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

KEPT_FAILURES = 200


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of the values do not exceed; 0.0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def spread(values: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the largest value."""
    figures = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {name: round(percentile(values, share), 4) for name, share in figures.items()}


@dataclass
class Act:
    """What was counted between two cuts."""

    name: str
    start: float
    end: float | None = None
    requests: int = 0
    failed: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    failure_times: list[tuple[float, str]] = field(default_factory=list)
    last_failed: float | None = None
    latencies: list[float] = field(default_factory=list)
    items_sent: int = 0
    items_acked: int = 0
    items_resent: int = 0
    items_doubled: int = 0
    items_lost: int = 0
    items_given_up: int = 0
    ack_latencies: list[float] = field(default_factory=list)
    reconnects: int = 0
    close_codes: Counter[str] = field(default_factory=Counter)
    away: list[float] = field(default_factory=list)
    answers: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    last_answers: dict[str, float] = field(default_factory=dict)
    sockets: dict[int, dict[str, int]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The act as JSON; ``share`` has one row a second: answers and open sockets per colour.

        ``last_answers`` says how many seconds after the act's start each colour answered a request for the last time,
        ``last_failed_s`` when the last failure was, None without one; of ``failure_times`` only the first are kept.
        ``items_given_up`` are those of ``items_lost`` whose sender was told that they failed.
        """
        end = self.start if self.end is None else self.end
        away = spread(self.away)
        return {
            "name": self.name,
            "start_s": round(self.start, 3),
            "seconds": round(end - self.start, 3),
            "requests": self.requests,
            "failed": self.failed,
            "failures": dict(self.failures),
            "failure_times": [[round(at, 3), kind] for at, kind in self.failure_times],
            "latency_s": spread(self.latencies),
            "last_failed_s": None if self.last_failed is None else round(self.last_failed - self.start, 3),
            "items_sent": self.items_sent,
            "items_acked": self.items_acked,
            "items_resent": self.items_resent,
            "items_lost": self.items_lost,
            "items_given_up": self.items_given_up,
            "items_doubled": self.items_doubled,
            "ack_latency_s": spread(self.ack_latencies),
            "reconnects": self.reconnects,
            "close_codes": dict(self.close_codes),
            "away_p50_s": away["p50"],
            "away_p99_s": away["p99"],
            "away_max_s": away["max"],
            "last_answers": {colour: round(at - self.start, 3) for colour, at in self.last_answers.items()},
            "share": self.share(),
        }

    def share(self) -> list[dict[str, Any]]:
        """Per second since the act's start: ``{"second", "answers": {colour: n}, "sockets": {colour: n}}``."""
        seconds = sorted({*self.answers, *self.sockets})
        return [
            {
                "second": second - int(self.start),
                "answers": dict(self.answers.get(second, {})),
                "sockets": self.sockets.get(second, {}),
            }
            for second in seconds
        ]


@dataclass
class _Item:
    """One item on its way: the act it belongs to and when it was first sent."""

    act: Act
    sent: float
    acks: int = 0


class Tally:
    """The figures of a load, cut into acts; the first act begins with it."""

    def __init__(self, name: str = "load") -> None:
        self.acts = [Act(name, 0.0)]
        self._items: dict[str, _Item] = {}
        self._unacked: set[str] = set()
        self._open: Counter[str] = Counter()
        self._doubled: set[str] = set()

    @property
    def act(self) -> Act:
        """The act that is going on."""
        return self.acts[-1]

    @property
    def unacked(self) -> frozenset[str]:
        """Items of all acts whose acknowledgement may still come."""
        return frozenset(self._unacked)

    def cut(self, name: str, now: float) -> Act:
        """End the act that is going on, begin the next; returns the one that ended."""
        ended = self.act
        ended.end = now
        self.acts.append(Act(name, now))
        self.sample(now)
        return ended

    def end(self, now: float) -> None:
        """End the last act."""
        self.act.end = now

    def answered(self, now: float, latency: float, colour: str) -> None:
        """A request got the answer that was wanted, from ``colour``."""
        act = self.act
        act.requests += 1
        act.latencies.append(latency)
        act.answers[int(now)][colour] += 1
        act.last_answers[colour] = now

    def failed(self, now: float, kind: str) -> None:
        """A request, or a handshake, did not get the answer that was wanted; ``kind`` says what came instead."""
        act = self.act
        act.requests += 1
        act.failed += 1
        act.failures[kind] += 1
        act.last_failed = now
        if len(act.failure_times) < KEPT_FAILURES:
            act.failure_times.append((now, kind))

    def sent(self, item: str, now: float) -> None:
        """An item was sent, for the first time or again."""
        known = self._items.get(item)
        if known is None:
            self._items[item] = _Item(self.act, now)
            self._unacked.add(item)
            self.act.items_sent += 1
        else:
            self.act.items_resent += 1

    def acked(self, item: str, now: float, *, duplicate: bool) -> bool:
        """The server acknowledged an item; False for one that was never sent.

        A second acknowledgement that says "not a duplicate" means that the item was applied twice.
        """
        known = self._items.get(item)
        if known is None:
            return False
        known.acks += 1
        if item in self._unacked:
            self._unacked.discard(item)
            known.act.items_acked += 1
            known.act.ack_latencies.append(now - known.sent)
        elif not duplicate:
            self._mark_doubled(item)
        return True

    def gave_up(self, item: str) -> None:
        """The client will not send this item again although it was not acknowledged: it is lost."""
        if item in self._unacked:
            self._unacked.discard(item)
            self._items[item].act.items_given_up += 1

    def _mark_doubled(self, item: str) -> None:
        if item not in self._doubled:
            self._doubled.add(item)
            self._items[item].act.items_doubled += 1

    def opened(self, colour: str) -> None:
        """A socket said hello from ``colour``."""
        self._open[colour] += 1

    def closed(self, colour: str, code: int | str) -> None:
        """A socket of ``colour`` was closed by the server, or cut, with this code."""
        self._open[colour] -= 1
        self.act.close_codes[str(code)] += 1

    def left(self, colour: str) -> None:
        """A socket of ``colour`` was closed by us, at the end."""
        self._open[colour] -= 1

    def back(self, away: float) -> None:
        """A closed socket's client was answered again, ``away`` seconds after it saw the close."""
        self.act.reconnects += 1
        self.act.away.append(away)

    def sample(self, now: float) -> None:
        """Note the open sockets per colour for this second."""
        self.act.sockets[int(now)] = {colour: count for colour, count in self._open.items() if count}

    def open_sockets(self) -> dict[str, int]:
        """Open sockets per colour."""
        return {colour: count for colour, count in self._open.items() if count}

    def server_doubled(self, act: Act, doubled: int) -> None:
        """The server itself counted this many items of ``act`` applied twice; the larger count stands."""
        act.items_doubled = max(act.items_doubled, doubled)

    def unacked_of(self, act: Act) -> int:
        """How many items of an act may still be acknowledged."""
        return sum(1 for item in self._unacked if self._items[item].act is act)

    def settle(self, act: Act) -> None:
        """What is not acknowledged now counts as lost."""
        act.items_lost = self.unacked_of(act) + act.items_given_up

    def compare(self, applied: Iterable[str]) -> None:
        """Hold the acknowledged items against those that the server has: one that it has not is lost, act by act."""
        have = set(applied)
        missing = Counter(id(item.act) for name, item in self._items.items() if item.acks and name not in have)
        for act in self.acts:
            self.settle(act)
            act.items_lost += missing[id(act)]


def total(acts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The sums over acts (as dictionaries) of what can be added."""
    names = ("requests", "failed", "items_sent", "items_acked", "items_lost", "items_doubled", "reconnects")
    return {name: sum(act[name] for act in acts) for name in names}
