# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges one window: figures against limits of their own and against the other colour at the same time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures, above, percent
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.statistics import VERY_SURE, at_least, slower
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import Colour

LOOKS_AT_ONCE = 3
"""So many looks in a row that failed are acted on at once."""
ALARM_LEAST, ALARM_MOST, ALARM_TIMES = 10, 50.0, 10
CHANCE = 0.02
"""Mann-Whitney: what could be chance to this degree is not held against the candidate."""
TOLERATED_TIMES, TOLERATED_SECONDS = 1.25, 0.01
"""Mann-Whitney: a median that is slower by less than both does not matter, however certain it is."""
CUT_TIMES, CUT_POINTS = 3.0, 5.0
"""WebSockets that end within seconds: so many times the other colour's, and so many points more."""


class Outcome(str, Enum):
    """``UNKNOWN`` is never a pass."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Limits:
    """The numbers of ``greenlight_gate`` that one window is judged by. Ratios in percent, latencies in seconds."""

    minimum_requests: int = 50
    minimum_sockets: int = 20
    error_ratio: float = 2.0
    error_factor: float = 2.0
    error_margin: float = 0.5
    latency_factor: float = 1.5
    latency_floor: float = 0.2
    latency_p99: float = 1.0
    handshake_failures: float = 1.0
    statistic: str = "none"
    dry_run: Collection[str] = ()

    @property
    def alarm(self) -> float:
        """Errors, in percent, that do not wait for the end of a window or of the warm-up."""
        return max(self.error_ratio, min(ALARM_MOST, ALARM_TIMES * self.error_ratio))


@dataclass(frozen=True)
class Side:
    """One colour in a window; ``sockets`` is how many are open at its end."""

    colour: Colour
    figures: Figures = field(default_factory=Figures)
    sockets: int = 0


@dataclass(frozen=True)
class Seen:
    """All of a window. ``baseline`` is None where nobody serves beside the candidate.

    ``probes`` went to the candidate, and count as its clients only when ``synthetic`` ones may; ``looks`` are the
    problems of each look at its paths, the oldest first; ``websockets``: the application has some.
    """

    seconds: float
    candidate: Side
    baseline: Side | None = None
    probes: Figures = field(default_factory=Figures)
    looks: Sequence[Sequence[str]] = ()
    websockets: bool = True
    synthetic: bool = True


@dataclass(frozen=True)
class Metric:
    """One figure of a window beside its limit. ``why`` is a sentence about a figure that is not good."""

    name: str
    outcome: Outcome
    value: float | None = None
    limit: float | None = None
    baseline: float | None = None
    samples: int = 0
    unit: str = ""
    why: str = ""
    critical: bool = False
    dry_run: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For a result."""
        return {**asdict(self), "outcome": self.outcome.value}


@dataclass(frozen=True)
class Judgement:
    """How a window went. ``at_once``: no further window is needed."""

    outcome: Outcome
    why: str
    at_once: bool = False
    metrics: tuple[Metric, ...] = ()


def judge(seen: Seen, limits: Limits, further: Sequence[Metric] = ()) -> Judgement:
    """Judge a window. ``further`` are metrics that were measured elsewhere."""
    built_in = [_errors, _latency_p95, _latency_p99, _handshakes, _cut_short, _probes]
    if limits.statistic == "mann_whitney":
        built_in.append(_statistic)
    metrics = [metric for look in built_in if (metric := look(seen, limits)) is not None]
    metrics = [replace(one, dry_run=one.dry_run or one.name in limits.dry_run) for one in [*metrics, *further]]
    return _together(metrics, {one.name for one in further})


def _together(metrics: Sequence[Metric], further: Collection[str]) -> Judgement:
    deciding = [metric for metric in metrics if not metric.dry_run]
    bad = [metric for metric in deciding if metric.outcome is Outcome.BAD]
    bad.sort(key=lambda metric: not metric.critical)
    clients = [metric for metric in metrics if metric.name in ("errors", "handshakes")]
    unknown = [metric for metric in deciding if metric.name in further and metric.outcome is Outcome.UNKNOWN]
    if all(metric.outcome is Outcome.UNKNOWN for metric in clients):
        unknown += clients
    if bad:
        return Judgement(Outcome.BAD, bad[0].why, bad[0].critical, tuple(metrics))
    if unknown:
        return Judgement(Outcome.UNKNOWN, "; ".join(metric.why for metric in unknown), metrics=tuple(metrics))
    return Judgement(Outcome.GOOD, _well(metrics), metrics=tuple(metrics))


def _well(metrics: Sequence[Metric]) -> str:
    return ", ".join(
        f"{metric.name} {shown(metric.value, metric.unit)} (limit {shown(metric.limit, metric.unit)}{_chance(metric)})"
        for metric in metrics
        if metric.value is not None and metric.limit is not None and metric.outcome is Outcome.GOOD
    )


def _chance(metric: Metric) -> str:
    """A ratio beyond its limit that few samples may show by chance."""
    beyond = metric.unit == "%" and (metric.value or 0.0) > (metric.limit or 0.0)
    return f", {metric.samples} are too few to tell" if beyond else ""


def shown(value: float | None, unit: str) -> str:
    """A value for people: ``9.0 %``, ``12 ms``, ``1.84 s``."""
    if value is None:
        return "-"
    if unit == "%":
        return f"{value:.1f} %"
    if unit == "s":
        return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"
    return f"{value:g}"


def _of_baseline(seen: Seen, value: Callable[[Figures], float], unit: str) -> str:
    return f"; {seen.baseline.colour} {shown(value(seen.baseline.figures), unit)}" if seen.baseline else ""


def _asked(seen: Seen, limits: Limits) -> tuple[Figures, str]:
    """The clients' figures when they suffice, else with the probes; and what to call the requests."""
    mine = seen.candidate.figures
    if mine.requests >= limits.minimum_requests or not seen.synthetic or not seen.probes.requests:
        return mine, "requests"
    return mine + seen.probes, f"requests ({seen.probes.requests} of them probes)"


def _errors(seen: Seen, limits: Limits) -> Metric:
    figures, name = _asked(seen, limits)
    colour, ratio, baseline = seen.candidate.colour, figures.error_ratio, _compared(seen, limits)
    limit, beside = limits.error_ratio, ""
    if baseline is not None and not _clearly(figures.errors, figures.requests, limit):
        limit = min(limit, limits.error_factor * baseline.error_ratio + limits.error_margin)
        beside = f" beside {seen.baseline.colour}" if seen.baseline and limit < limits.error_ratio else ""
    found = Metric(
        "errors", Outcome.GOOD, ratio, limit, baseline.error_ratio if baseline else None, figures.requests, "%"
    )
    if figures.requests < limits.minimum_requests:
        why = (
            f"{colour} had {figures.requests} of the {limits.minimum_requests} {name} that a window needs, "
            f"in {seen.seconds:.0f} s"
        )
        return replace(found, outcome=Outcome.UNKNOWN, why=why)
    if not _clearly(figures.errors, figures.requests, limit):
        return found
    why = (
        f"{colour} answered {figures.errors} of {figures.requests} {name} with an error ({shown(ratio, '%')}), "
        f"limit {shown(limit, '%')}{beside}{_of_baseline(seen, lambda other: other.error_ratio, '%')}"
        f"{_taken_over(figures, seen)}"
    )
    return replace(found, outcome=Outcome.BAD, why=why)


def _taken_over(figures: Figures, seen: Seen) -> str:
    other = seen.baseline.colour if seen.baseline else "the other colour"
    return f"; {other} had to answer {figures.taken_over} of them" if figures.taken_over else ""


def _clearly(failures: int, total: int, limit: float) -> bool:
    """More than the limit, and not for a single failure or by bad luck with few samples."""
    return failures > 1 and at_least(failures, total) > limit


def _compared(seen: Seen, limits: Limits) -> Figures | None:
    """The other colour's figures when they are enough to compare with."""
    if seen.baseline is None or seen.baseline.figures.requests < limits.minimum_requests:
        return None
    return seen.baseline.figures


def _latency_p95(seen: Seen, limits: Limits) -> Metric | None:
    mine, baseline = seen.candidate.figures, _compared(seen, limits)
    if baseline is None or mine.requests < limits.minimum_requests:
        return None
    value, other = mine.latency(0.95) or 0.0, baseline.latency(0.95) or 0.0
    limit = max(limits.latency_floor, limits.latency_factor * other)
    found = Metric("latency_p95", Outcome.GOOD, value, limit, other, mine.requests, "s")
    if not _clearly(above(mine.latencies, limit), mine.requests, 5.0):
        return found
    why = (
        f"{seen.candidate.colour} answered 95 % of {mine.requests} requests within {shown(value, 's')}, "
        f"limit {shown(limit, 's')}{_of_baseline(seen, lambda figures: figures.latency(0.95) or 0.0, 's')}"
    )
    return replace(found, outcome=Outcome.BAD, why=why)


def _latency_p99(seen: Seen, limits: Limits) -> Metric | None:
    figures, name = _asked(seen, limits)
    if figures.requests < limits.minimum_requests:
        return None
    value, slow = figures.latency(0.99) or 0.0, above(figures.latencies, limits.latency_p99)
    found = Metric("latency_p99", Outcome.GOOD, value, limits.latency_p99, None, figures.requests, "s")
    if not _clearly(slow, figures.requests, 1.0):
        return found
    why = (
        f"{seen.candidate.colour} answered {slow} of {figures.requests} {name} "
        f"later than {shown(limits.latency_p99, 's')}, the limit for 99 % of them (p99 {shown(value, 's')})"
        f"{_of_baseline(seen, lambda other: other.latency(0.99) or 0.0, 's')}"
    )
    return replace(found, outcome=Outcome.BAD, why=why)


def _handshakes(seen: Seen, limits: Limits) -> Metric | None:
    if not seen.websockets:
        return None
    figures = seen.candidate.figures
    if figures.handshakes < limits.minimum_sockets and seen.synthetic:
        figures = figures + seen.probes
    limit = limits.handshake_failures
    baseline = seen.baseline.figures if seen.baseline else None
    if baseline is not None and baseline.handshakes >= limits.minimum_sockets:
        limit = max(limit, limits.error_factor * baseline.refused_ratio + limits.error_margin)
    ratio = figures.refused_ratio
    found = Metric(
        "handshakes", Outcome.GOOD, ratio, limit, baseline.refused_ratio if baseline else None, figures.handshakes, "%"
    )
    if figures.handshakes < limits.minimum_sockets:
        enough = seen.candidate.sockets >= limits.minimum_sockets and not figures.refused
        why = (
            f"{seen.candidate.colour} had {figures.handshakes} of {limits.minimum_sockets} WebSocket handshakes "
            f"and {seen.candidate.sockets} open sockets"
        )
        return found if enough else replace(found, outcome=Outcome.UNKNOWN, why=why)
    if not _clearly(figures.refused, figures.handshakes, limit):
        return found
    why = (
        f"{seen.candidate.colour} refused {figures.refused} of {figures.handshakes} WebSocket handshakes "
        f"({shown(ratio, '%')}), limit {shown(limit, '%')}"
        f"{_of_baseline(seen, lambda other: other.refused_ratio, '%')}"
    )
    return replace(found, outcome=Outcome.BAD, why=why)


def _cut_short(seen: Seen, limits: Limits) -> Metric | None:
    """New WebSockets against new WebSockets: old ones have proven that they last."""
    baseline = seen.baseline.figures if seen.baseline else Figures()
    mine = seen.candidate.figures
    if min(mine.opened, baseline.opened) < limits.minimum_sockets:
        return None
    value, other = percent(mine.cut_short, mine.opened), percent(baseline.cut_short, baseline.opened)
    limit = CUT_TIMES * other + CUT_POINTS
    found = Metric("sockets_cut_short", Outcome.GOOD, value, limit, other, mine.opened, "%")
    if not _clearly(min(mine.cut_short, mine.opened), mine.opened, limit):
        return found
    why = (
        f"{mine.cut_short} of {mine.opened} WebSockets that {seen.candidate.colour} opened ended within seconds "
        f"({shown(value, '%')}), limit {shown(limit, '%')}"
        f"{_of_baseline(seen, lambda figures: percent(figures.cut_short, figures.opened), '%')}"
    )
    return replace(found, outcome=Outcome.BAD, why=why)


def _probes(seen: Seen, _limits: Limits) -> Metric | None:
    """The last look must be good, and most of them."""
    if not seen.looks:
        return None
    failed = [problems for problems in seen.looks if problems]
    found = Metric("probes", Outcome.GOOD, percent(len(failed), len(seen.looks)), 50.0, None, len(seen.looks), "%")
    if not seen.looks[-1] and 2 * len(failed) <= len(seen.looks):
        return found
    why = f"{len(failed)} of {len(seen.looks)} looks at {seen.candidate.colour} failed, limit 50 %; {failed[-1][0]}"
    return replace(found, outcome=Outcome.BAD, why=why)


def _statistic(seen: Seen, limits: Limits) -> Metric | None:
    mine, baseline = seen.candidate.figures, _compared(seen, limits)
    if baseline is None or mine.requests < limits.minimum_requests:
        return None
    median, other = mine.latency(0.5) or 0.0, baseline.latency(0.5) or 0.0
    limit = max(TOLERATED_TIMES * other, other + TOLERATED_SECONDS)
    chance = slower(mine.latencies, baseline.latencies)
    found = Metric("mann_whitney", Outcome.GOOD, median, limit, other, mine.requests, "s")
    if median <= limit or chance > CHANCE:
        return found
    why = (
        f"{seen.candidate.colour} is slower than {seen.baseline.colour if seen.baseline else ''} "
        f"(Mann-Whitney, {shown(100 * chance, '%')} chance): median {shown(median, 's')} of {mine.requests} requests, "
        f"limit {shown(limit, 's')}; {shown(other, 's')}"
    )
    return replace(found, outcome=Outcome.BAD, why=why)


def alarm(seen: Seen, limits: Limits) -> str:
    """Why nothing more is waited for, the end of the warm-up included; empty when there is no such reason.

    ``seen`` reaches back no further than the last shift.
    """
    mine, colour, found = seen.candidate.figures, seen.candidate.colour, {}
    if mine.requests >= ALARM_LEAST and at_least(mine.errors, mine.requests, VERY_SURE) > limits.alarm:
        found["errors"] = (
            f"{colour} answered {mine.errors} of {mine.requests} requests with an error "
            f"({shown(mine.error_ratio, '%')}), limit {shown(limits.alarm, '%')} at any time"
            f"{_of_baseline(seen, lambda other: other.error_ratio, '%')}{_taken_over(mine, seen)}"
        )
    if mine.refused >= ALARM_LEAST and at_least(mine.refused, mine.handshakes, VERY_SURE) > ALARM_MOST:
        found["handshakes"] = (
            f"{colour} refused {mine.refused} of {mine.handshakes} WebSocket handshakes "
            f"({shown(mine.refused_ratio, '%')}), limit {shown(ALARM_MOST, '%')} at any time"
        )
    last = list(seen.looks)[-LOOKS_AT_ONCE:]
    if len(last) == LOOKS_AT_ONCE and all(last):
        found["probes"] = f"the last {LOOKS_AT_ONCE} looks at {colour} failed; {last[-1][0]}"
    return next((why for name, why in found.items() if name not in limits.dry_run), "")


def limits_of(gate: Mapping[str, Any]) -> Limits:
    """The limits among the options of ``greenlight_gate``."""
    return Limits(**{name: gate[name] for name in Limits.__dataclass_fields__})
