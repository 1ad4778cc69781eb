# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dead-man's switch of a proxy: what it is told, what its script finds, what it reports. Pure.

The script is for /bin/sh, since it must work when nothing but the system itself is left; hence files of plain words.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import Moment, granted
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import Colour, colour_of

_NOBODY = "-"


class GuardDamaged(GreenlightError):
    """What the switch was told cannot be read."""


@dataclass(frozen=True)
class Guard:
    """All clients go to ``home`` when the controller gave no sign of life for ``after`` seconds."""

    home: Colour
    deployment: str
    after: int


@dataclass(frozen=True)
class Returned:
    """The clients went from the state ``source`` to the colour ``home`` at ``at`` (wall time)."""

    at: str
    source: str
    home: Colour
    why: str
    deployment: str

    def as_dict(self) -> dict[str, str]:
        """The shape for users."""
        return {"at": self.at, "from": self.source, "to": self.home, "why": self.why, "deployment": self.deployment}


def render(guard: Guard) -> str:
    """The text of ``guard``: home, deployment, seconds."""
    return f"{guard.home} {guard.deployment or _NOBODY} {guard.after}\n"


def parse(text: str, where: str = "guard") -> Guard:
    """The guard in ``text``; :class:`GuardDamaged` when it is none."""
    try:
        home, deployment, after = text.split()
        return Guard(colour_of(home), "" if deployment == _NOBODY else deployment, int(after))
    except (ValueError, InvalidInput) as error:
        raise GuardDamaged(
            f"it cannot be read ({error})", where=where, do="disarm the switch (traffic_guard), then arm it again"
        ) from None


def lease(guard: Guard, now: Moment) -> str:
    """The text of ``lease`` after a sign of life: boot, and the end in seconds since it."""
    term = granted(now, guard.after)
    return f"{term.boot or _NOBODY} {math.ceil(term.start + term.seconds)}\n"


def parse_returned(text: str) -> Returned | None:
    """The report in ``text``; None when it is none."""
    try:
        data = json.loads(text)
        return Returned(
            at=str(data["at"]),
            source=str(data["from"]),
            home=colour_of(str(data["to"])),
            why=str(data["why"]),
            deployment=str(data["deployment"]),
        )
    except (ValueError, KeyError, TypeError, InvalidInput):
        return None
