# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of a lock, from the shape that :func:`lock.shown` gives it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FEW = 2  # minutes or hours from which on the smaller unit is no longer told
_TAKEN_OVER = {
    "dead": "its process {pid} on {host} is dead",
    "expired": "it was last renewed at {renewed} and its lease of {lease} s is over",
    "stolen": "by force: {why}",
}


def holder(lock: Mapping[str, Any]) -> str:
    """Who holds it, for what, and since when."""
    what = f"deployment {lock['deployment']}" if lock["process"] else "without a run"
    parts = [what, lock["version"], lock["reason"]]
    return f"{lock['owner']} ({', '.join(part for part in parts if part)}) since {clock(lock['taken'])}{_for(lock)}"


def end(lock: Mapping[str, Any]) -> str:
    """Until when it holds."""
    if lock["left"] is None:
        return "until it is released"
    if not lock["left"]:
        return "its lease is over"
    return f"{_span(lock['left'])} of its lease are left"


def held(lock: Mapping[str, Any]) -> str:
    """That somebody has it."""
    return f"locked by {holder(lock)}; {end(lock)}"


def taken_over(lock: Mapping[str, Any], how: str, why: str) -> str:
    """That it was taken from somebody, and with what right."""
    process = lock["process"] or {"pid": 0, "host": ""}
    right = _TAKEN_OVER[how].format(why=why, renewed=clock(lock["renewed"]), lease=lock["lease"], **process)
    return f"took the lock over from {holder(lock)}: {right}"


def lost(lock: Mapping[str, Any] | None) -> str:
    """That the lock that was ours is no longer; ``lock`` needs an owner, a reason and when it was taken."""
    if lock is None:
        return "somebody removed the lock of this run"
    reason = f" for: {lock['reason']}" if lock["reason"] else ""
    return f"{lock['owner']} took the lock over at {clock(lock['taken'])}{reason}"


def returned(report: Mapping[str, Any]) -> str:
    """That the dead-man's switch acted."""
    what = f"gave all clients back to {report['to']} by itself at {clock(report['at'])} (it was {report['from']})"
    return f"{what}: {report['why']}"


def clock(wall: str) -> str:
    """A wall time for reading."""
    return f"{wall[11:19]} UTC" if len(wall) > len("2026-11-22T") else wall


def _for(lock: Mapping[str, Any]) -> str:
    return "" if lock["held"] is None else f", for {_span(lock['held'])}"


def _span(seconds: int) -> str:
    """Seconds, or minutes and hours where nobody counts seconds."""
    if seconds < _FEW * 60:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < _FEW * 3600 else f"{seconds / 3600:.1f} h"
