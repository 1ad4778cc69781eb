# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which backups stay. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

KINDS = ("deploy", "scheduled")
"""Taken before a deployment, and by the clock."""


@dataclass(frozen=True)
class Keep:
    """How many stay: the last ones before deployments; of the scheduled ones the newest of each day and week."""

    deploy: int = 10
    daily: int = 7
    weekly: int = 4


@dataclass(frozen=True)
class Taken:
    """A backup as retention sees it; ``taken`` in seconds since 1970."""

    id: str
    kind: str
    taken: float


def superfluous(backups: Sequence[Taken], keep: Keep) -> tuple[str, ...]:
    """The ids of the backups that go, oldest first. Never the newest of all; every one that is here was verified."""
    ordered = sorted(backups, key=lambda each: each.taken, reverse=True)
    scheduled = [each for each in ordered if each.kind == "scheduled"]
    stay = [
        *ordered[:1],
        *[each for each in ordered if each.kind == "deploy"][: keep.deploy],
        *_newest_of_each(scheduled, lambda day: day.date().isoformat())[: keep.daily],
        *_newest_of_each(scheduled, lambda day: "{}-{}".format(*day.isocalendar()))[: keep.weekly],
    ]
    return tuple(each.id for each in reversed(ordered) if each not in stay)


def _newest_of_each(newest_first: Sequence[Taken], period: Callable[[datetime], str]) -> list[Taken]:
    first: dict[str, Taken] = {}
    for each in newest_first:
        first.setdefault(period(datetime.fromtimestamp(each.taken, timezone.utc)), each)
    return list(first.values())
