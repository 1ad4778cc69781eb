# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What lines of the proxy's access log say of each colour.

A line tells the colour that the request was meant for and the addresses that were tried. Only both together show a
candidate that is dead: the other colour answers for it, and the status is 200.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures, bucket, counted
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import COLOURS, Colour, colour_of, other
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.upstreams import Upstreams

SHORT = 10.0
"""Seconds; a WebSocket that ends sooner was cut short."""

FIELDS = ("rt", "status", "colour", "upstream", "ustatus", "ws", "tester")
# Inside a value a quotation mark always has a backslash before it, so that no client can write '","status":"'.
_LINE = re.compile(
    rb'^\{"t":[\d.]+,"rt":([\d.]+),[^\n]*?","status":"(\d+)","colour":"(\w*)"[^\n]*?,"upstream":"([^"]*)"'
    rb',"ustatus":"([^"]*)"[^\n]*?,"ws":"(\w*)","tester":"(\w*)"\}$',
    re.MULTILINE,
)
_ATTEMPTS = re.compile(r", | : ")


class Line(NamedTuple):
    """The fields of a line that count, as they are written."""

    seconds: str
    status: str
    colour: str
    upstream: str
    ustatus: str
    websocket: str
    tester: str


@dataclass(frozen=True)
class Tally:
    """What was counted, and how many lines could not be read."""

    colours: Mapping[Colour, Figures]
    unreadable: int = 0


def tally(chunks: Iterable[bytes], upstreams: Upstreams) -> Tally:
    """Count whole lines. ``upstreams`` tell whose address it was that answered; testers are left out."""
    counter = _Counter(upstreams)
    for chunk in chunks:
        counter.count(chunk)
    return counter.result()


class _Counter:
    """Equal lines are judged once: of a thousand requests, most differ in latency alone."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._addresses: dict[Colour, frozenset[str]] = {colour: frozenset(upstreams[colour]) for colour in COLOURS}
        self._counts: dict[Colour, Counter[str]] = {colour: Counter() for colour in COLOURS}
        self._latencies: dict[Colour, Counter[int]] = {colour: Counter() for colour in COLOURS}
        self._unreadable = 0

    def count(self, chunk: bytes) -> None:
        found = _LINE.findall(chunk)
        if len(found) == chunk.count(b"\n"):
            kinds = Counter(found)
            for fields, times in kinds.items():
                self._add(Line(*(field.decode("ascii", "replace") for field in fields)), times)
            return
        for line in self._one_by_one(chunk):
            self._add(line, 1)

    def _one_by_one(self, chunk: bytes) -> Iterator[Line]:
        """The lines of a chunk that has others than ours in it, or ours with further fields."""
        for text in chunk.splitlines():
            line = _read(text)
            if line is None:
                self._unreadable += 1
            else:
                yield line

    def _add(self, line: Line, times: int) -> None:
        if line.tester or line.colour not in COLOURS or line.upstream in ("", "-"):
            return
        colour = colour_of(line.colour)
        counts = self._counts[colour]
        if line.websocket:
            for name in self._socket(colour, line):
                counts[name] += times
            return
        counts["requests"] += times
        for name in self._failures(colour, line):
            counts[name] += times
        self._latencies[colour][bucket(round(float(line.seconds) * 1000))] += times

    def _failures(self, colour: Colour, line: Line) -> tuple[str, ...]:
        """Which counts a request adds to, besides ``requests``."""
        if _ATTEMPTS.split(line.upstream)[-1] in self._addresses[other(colour)]:
            return ("errors", "taken_over")
        return ("errors",) if line.status >= "500" or _failed(line.ustatus) else ()

    def _socket(self, colour: Colour, line: Line) -> tuple[str, ...]:
        """Which counts a WebSocket adds to; its line is written when it ends."""
        taken_over = "taken_over" in self._failures(colour, line)
        if line.status != "101" or taken_over:
            return ("refused",)
        return ("ended", "cut_short") if float(line.seconds) < SHORT else ("ended",)

    def result(self) -> Tally:
        figures = {colour: counted(self._counts[colour], self._latencies[colour]) for colour in COLOURS}
        return Tally(figures, self._unreadable)


def _read(text: bytes) -> Line | None:
    """One line, None when it is none of ours."""
    try:
        data: Mapping[str, Any] = json.loads(text)
        return Line(*(str(data[name]) for name in FIELDS))
    except (ValueError, KeyError, TypeError):
        return None


def _failed(statuses: str) -> bool:
    """Whether an attempt before the last one failed."""
    return any(status == "-" or status >= "500" for status in _ATTEMPTS.split(statuses)[:-1])
