# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time on a host whose clock may be wrong: seconds since boot for what is decided, the wall clock to show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

WALL = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Moment:
    """``boot`` is the id of this boot, ``uptime`` seconds since it (asleep ones too), ``wall`` UTC, ISO 8601."""

    boot: str
    uptime: float
    wall: str


@dataclass(frozen=True)
class Term:
    """Something granted at ``start`` (seconds since boot) for ``seconds``; 0 means without an end."""

    boot: str
    start: float
    seconds: int

    def left(self, now: Moment) -> float:
        """Seconds until the end, 0 when it has come, infinite without an end.

        Nobody knows how long a host was off. After a boot the term begins anew, so that whoever holds it has as long
        as ever to renew it.
        """
        if not self.seconds:
            return math.inf
        return max(0.0, (self.start if self.boot == now.boot else 0.0) + self.seconds - now.uptime)

    def age(self, now: Moment) -> float | None:
        """Seconds since the start, None when the host has booted since."""
        return now.uptime - self.start if self.boot == now.boot else None


def granted(now: Moment, seconds: int) -> Term:
    """A term that starts now."""
    return Term(now.boot, round(now.uptime, 2), seconds)


def later(wall: str, seconds: float) -> str:
    """The wall time so many seconds after ``wall``."""
    return (datetime.strptime(wall, WALL) + timedelta(seconds=seconds)).strftime(WALL)  # noqa: DTZ007 - UTC, as written
