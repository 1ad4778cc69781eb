# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a cell ended as it should. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Expect:
    """What must come of a cell.

    ``deployed``: whether its last command succeeds. ``serving``: the version that answers everybody afterwards.
    ``failed_percent``: how many of the clients' requests may fail, for the faults whose first victims nobody can save.
    ``why``: a pattern that the sentence in which the last command says how it ended must have.
    ``moved``: whether the WebSockets are at the serving colour too; otherwise they must all be where they were.
    """

    deployed: bool
    serving: str
    failed_percent: float = 0.0
    why: str = ""
    moved: bool = True


@dataclass
class Facts:
    """What was seen. ``locks`` and ``states`` are those of each proxy at the end, ``problems`` what an act missed."""

    status: int = 0
    reason: str = ""
    requests: int = 0
    failed: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    items_lost: int = 0
    items_doubled: int = 0
    before: str = ""
    after: str = ""
    states: dict[str, str] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    sockets: dict[str, int] = field(default_factory=dict)
    wanted_sockets: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def judge(expect: Expect, facts: Facts) -> list[str]:
    """All that is not as it should be; nothing when the cell is green."""
    return [*facts.problems, *_ending(expect, facts), *_clients(expect, facts), *_left(facts)]


def _ending(expect: Expect, facts: Facts) -> list[str]:
    found = []
    if (facts.status == 0) != expect.deployed:
        found.append(f"exit status {facts.status}, expected {'0' if expect.deployed else 'another than 0'}")
    if not re.search(expect.why, facts.reason):
        found.append(f"it did not say {expect.why!r}")
    if facts.after.partition(" ")[0] != expect.serving:
        found.append(f"{facts.after} serves, expected {expect.serving}")
    return found


def _clients(expect: Expect, facts: Facts) -> list[str]:
    found = []
    if facts.failed * 100 > facts.requests * expect.failed_percent:
        allowed = f"at most {expect.failed_percent} %" if expect.failed_percent else "none"
        kinds = ", ".join(f"{count} x {kind}" for kind, count in sorted(facts.failures.items()))
        found.append(f"{facts.failed} of {facts.requests} requests failed ({kinds}), expected {allowed}")
    if facts.items_lost:
        found.append(f"{facts.items_lost} items lost")
    if facts.items_doubled:
        found.append(f"{facts.items_doubled} items doubled")
    colour = re.search(r"\((blue|green)\)$", facts.after)
    if facts.wanted_sockets and colour:
        place = colour[1] if expect.moved else {"blue": "green", "green": "blue"}[colour[1]]
        if facts.sockets != {place: facts.wanted_sockets}:
            found.append(f"sockets are at {facts.sockets}, expected {facts.wanted_sockets} at {place}")
    return found


def _left(facts: Facts) -> list[str]:
    found = [f"{proxy} is left at {state}" for proxy, state in facts.states.items() if state not in ("blue", "green")]
    return found + [f"{proxy} is locked without an end" for proxy, lock in facts.locks.items() if lock == "held"]


def lock_of(lock: Mapping[str, object] | None) -> str:
    """``free``, ``expiring`` (by a lease) or ``held`` (without an end), from the lock file of a proxy."""
    if lock is None:
        return "free"
    claim = lock.get("claim", lock)
    lease = claim.get("lease") if isinstance(claim, Mapping) else None
    return "expiring" if isinstance(lease, int) and lease > 0 else "held"
