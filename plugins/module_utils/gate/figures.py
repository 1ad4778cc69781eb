# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is counted per colour. Figures of one slice of time add up to those of a window, latencies included."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

COUNTS = ("requests", "errors", "taken_over", "opened", "ended", "cut_short", "refused")


@dataclass(frozen=True)
class Figures:
    """Counts of one colour, or of the probes sent to it.

    ``requests`` were meant for the colour; ``errors`` among them failed (status 500 and above, an instance that did
    not answer, or the other colour had to answer: ``taken_over``). WebSockets are counted apart: ``opened`` (may be
    negative in a slice, since it is what the number of sockets and of ``ended`` ones imply), ``cut_short`` ended soon
    after they were opened, ``refused`` were never opened. ``latencies`` counts requests by milliseconds, see
    :func:`bucket`.
    """

    requests: int = 0
    errors: int = 0
    taken_over: int = 0
    opened: int = 0
    ended: int = 0
    cut_short: int = 0
    refused: int = 0
    latencies: Mapping[int, int] = field(default_factory=dict)

    @property
    def handshakes(self) -> int:
        """Attempts to open a WebSocket."""
        return max(0, self.opened) + self.refused

    @property
    def error_ratio(self) -> float:
        """Failed requests in percent, 0 without requests."""
        return percent(self.errors, self.requests)

    @property
    def refused_ratio(self) -> float:
        """Failed handshakes in percent, 0 without handshakes."""
        return percent(self.refused, self.handshakes)

    def latency(self, share: float) -> float | None:
        """The percentile of latency in seconds, None without requests; ``share`` is 0 to 1."""
        return percentile(self.latencies, share)

    def __add__(self, other: Figures) -> Figures:
        latencies = Counter(self.latencies)
        latencies.update(other.latencies)
        return counted({name: getattr(self, name) + getattr(other, name) for name in COUNTS}, latencies)

    def as_dict(self) -> dict[str, Any]:
        """For a module's result; :func:`figures_of` reads it."""
        return {
            **{name: getattr(self, name) for name in COUNTS},
            "latencies": {str(bucket): count for bucket, count in sorted(self.latencies.items())},
        }

    def summary(self) -> dict[str, Any]:
        """For people and reports: ratios in percent, latencies in seconds."""
        return {
            "requests": self.requests,
            "errors": self.errors,
            "error_ratio": round(self.error_ratio, 2),
            "taken_over": self.taken_over,
            "p50": self.latency(0.5),
            "p95": self.latency(0.95),
            "p99": self.latency(0.99),
            "handshakes": self.handshakes,
            "handshake_failures": self.refused,
            "sockets_cut_short": self.cut_short,
        }


def counted(counts: Mapping[str, int], latencies: Mapping[int, int]) -> Figures:
    """Figures from counts by name; one that is missing is 0."""
    fields: dict[str, Any] = {name: counts.get(name, 0) for name in COUNTS}
    return Figures(**fields, latencies=latencies)


def figures_of(data: Mapping[str, Any]) -> Figures:
    """The figures in a module's result."""
    return counted(data, {int(bucket): int(count) for bucket, count in data["latencies"].items()})


def total(parts: Iterable[Figures]) -> Figures:
    """All parts together."""
    return sum(parts, Figures())


def percent(part: float, whole: float) -> float:
    """``part`` of ``whole`` in percent, 0 of nothing."""
    return 100 * part / whole if whole else 0.0


def bucket(milliseconds: int) -> int:
    """Milliseconds with three digits that count: exact below one second, then to half a percent."""
    step = int(10 ** max(0, len(str(milliseconds)) - 3))
    return (milliseconds + step // 2) // step * step


def percentile(latencies: Mapping[int, int], share: float) -> float | None:
    """Seconds below which (or at which) this share of the requests was answered; None without any."""
    rank = share * sum(latencies.values())
    seen = 0
    for milliseconds in sorted(latencies):
        seen += latencies[milliseconds]
        if seen >= rank:
            return milliseconds / 1000
    return None


def above(latencies: Mapping[int, int], seconds: float) -> int:
    """How many requests took longer than this."""
    return sum(count for milliseconds, count in latencies.items() if milliseconds > seconds * 1000)
