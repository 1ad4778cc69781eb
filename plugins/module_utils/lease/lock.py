# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may change an application: one holder at a time, for as long as it shows that it is alive.

Pure: what is, who asks and the moment are given; what becomes of the lock is returned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import Moment, Term, granted, later

_DEPLOYMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,79}")
_LONGEST = 500  # characters of a reason


class LockDamaged(GreenlightError):
    """The lock file cannot be read."""


@dataclass(frozen=True)
class Process:
    """One process and no other: a number is used again, together with the start time (in its own unit) it is not."""

    host: str
    boot: str
    namespace: str
    pid: int
    started: str

    @property
    def machine(self) -> tuple[str, str, str]:
        """Where its number means something."""
        return self.host, self.boot, self.namespace


@dataclass(frozen=True)
class Claim:
    """Who wants the lock, and what for. ``process`` None: a person, who holds it without a run (a freeze)."""

    owner: str
    process: Process | None
    deployment: str
    version: str
    reason: str
    lease: int
    heartbeat: int


@dataclass(frozen=True)
class Lock:
    """A claim that was granted; ``taken`` and ``renewed`` are wall time, ``token`` is new with every taking."""

    claim: Claim
    token: str
    taken: str
    renewed: str
    since: Term
    term: Term

    def own(self, claim: Claim) -> bool:
        """Whether the claim is of the one who holds it."""
        mine = self.claim
        return (mine.owner, mine.process, mine.deployment) == (claim.owner, claim.process, claim.deployment)


class How(str, Enum):
    """How a lock was got, or that it was not."""

    FREE = "free"
    OWN = "own"
    DEAD = "dead"
    EXPIRED = "expired"
    STOLEN = "stolen"
    HELD = "held"


def claim_of(params: Mapping[str, Any]) -> Claim:
    """The claim that the parameters make; :class:`InvalidInput` when they make none."""
    deployment, reason, lease, beat = (params[name] for name in ("deployment", "reason", "lease", "heartbeat"))
    if not _DEPLOYMENT.fullmatch(deployment):
        raise InvalidInput(
            f"{deployment!r} cannot name a deployment", where="deployment", expected="letters, digits and . _ : -"
        )
    if len(reason) > _LONGEST or any(ord(sign) < ord(" ") for sign in reason + params["version"]):
        raise InvalidInput(
            "it is too long or has line ends", where="reason", expected=f"{_LONGEST} letters in one line"
        )
    if lease < 0 or beat < 0 or 0 < lease < 2 * beat:
        raise InvalidInput(
            f"a lease of {lease} s is lost with one missed heartbeat of {beat} s",
            where="lease",
            expected="at least two heartbeats",
            do="correct greenlight_lock",
        )
    holder = params["holder"]
    process = Process(**holder["process"]) if holder["process"] else None
    if not reason and (params["steal"] or (process is None and params["state"] == "taken")):
        raise InvalidInput(
            "it is not said why",
            where="reason",
            expected="why nobody else may deploy, or why another's lock is taken",
            do="""add -e "reason='...'" """.strip(),
        )
    return Claim(holder["owner"], process, deployment, params["version"], reason, lease, beat)


def decide(lock: Lock | None, claim: Claim, now: Moment, *, steal: bool = False, dead: str = "") -> How:
    """How the claim gets the lock. ``dead`` is the token of a lock whose holder is known to be dead."""
    if lock is None:
        return How.FREE
    if lock.own(claim):
        return How.OWN
    if dead and dead == lock.token:
        return How.DEAD
    if not lock.term.left(now):
        return How.EXPIRED
    return How.STOLEN if steal else How.HELD


def grant(claim: Claim, now: Moment, token: str) -> Lock:
    """The lock for the claim, from now on."""
    term = granted(now, claim.lease)
    return Lock(claim, token, now.wall, now.wall, since=term, term=term)


def renew(lock: Lock, claim: Claim, now: Moment) -> Lock:
    """The lock with a new term, and as long as the claim says now."""
    return replace(lock, claim=claim, renewed=now.wall, term=granted(now, claim.lease))


def render(lock: Lock) -> str:
    """The text of ``lock.json``."""
    return json.dumps(asdict(lock), indent=2) + "\n"


def parse(text: str, where: str = "lock.json") -> Lock:
    """The lock in ``text``; :class:`LockDamaged` when it is not one."""
    try:
        data = json.loads(text)
        claim, process = data["claim"], data["claim"]["process"]
        return Lock(
            claim=Claim(**{**claim, "process": Process(**process) if process else None}),
            token=str(data["token"]),
            taken=str(data["taken"]),
            renewed=str(data["renewed"]),
            since=Term(**data["since"]),
            term=Term(**data["term"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise LockDamaged(
            f"the lock cannot be read ({error})",
            where=where,
            expected="the JSON that the module deployment_lock writes",
            do="see that nobody is deploying, then remove the file",
        ) from None


def shown(lock: Lock, now: Moment) -> dict[str, Any]:
    """The lock as users see it; ``left`` and ``expires`` are None when it has no end or the host cannot say."""
    left = lock.term.left(now)
    age = lock.since.age(now)
    return {
        **asdict(lock.claim),
        "token": lock.token,
        "taken": lock.taken,
        "renewed": lock.renewed,
        "held": None if age is None else round(age),
        "left": None if lock.term.seconds == 0 else round(left),
        "expires": None if lock.term.seconds == 0 else later(now.wall, left),
    }
