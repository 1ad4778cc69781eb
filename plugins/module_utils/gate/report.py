# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the gate tells people and results."""

from __future__ import annotations

from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Judgement, Metric, Seen, Side, shown

NUMBERS = ("value", "limit", "baseline")


def live_line(share: int, now: float, least: float, seen: Seen, so_far: str) -> str:
    """One line while the gate watches: share, time, rates, errors, latencies and sockets of both colours."""
    parts = [
        f"{seen.candidate.colour} {share} %",
        f"{now:.0f} s of {least:.0f} s",
        _side(seen.candidate, seen.seconds),
    ]
    if seen.probes.requests + seen.probes.handshakes:
        failed = seen.probes.errors + seen.probes.refused
        parts.append(
            f"{seen.probes.requests + seen.probes.handshakes} probes" + (f", {failed} failed" if failed else "")
        )
    if seen.baseline:
        parts.append(_side(seen.baseline, seen.seconds))
    return "   ".join([*parts, so_far])


def _side(side: Side, seconds: float) -> str:
    figures = side.figures
    rate = figures.requests / seconds if seconds else 0.0
    words = [f"{side.colour} {rate:.0f} req/s {shown(figures.error_ratio, '%')} errors"]
    if figures.requests:
        words.append(f"p95 {shown(figures.latency(0.95), 's')}")
    words.append(f"{side.sockets} sockets")
    return " ".join(words)


def window_report(at: float, seen: Seen, judgement: Judgement) -> dict[str, Any]:
    """A window for the result: what was seen beside the limits, and what came of it."""
    sides = [side for side in (seen.candidate, seen.baseline) if side]
    return {
        "at": round(at, 1),
        "seconds": round(seen.seconds, 1),
        "outcome": judgement.outcome.value,
        "why": judgement.why,
        "metrics": [_metric(metric) for metric in judgement.metrics],
        "colours": {side.colour: {**side.figures.summary(), "sockets": side.sockets} for side in sides},
        "probes": seen.probes.summary(),
    }


def _metric(metric: Metric) -> dict[str, Any]:
    """Without what is empty; what is not good says why."""
    rounded = {name: round(value, 4) for name in NUMBERS if (value := getattr(metric, name)) is not None}
    flags = {name: True for name in ("critical", "dry_run") if getattr(metric, name)}
    why = {"why": metric.why} if metric.why else {}
    return {
        "name": metric.name,
        "outcome": metric.outcome.value,
        "samples": metric.samples,
        "unit": metric.unit,
        **rounded,
        **flags,
        **why,
    }
