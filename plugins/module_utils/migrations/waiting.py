# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long statements may take and wait, when to try again, and who is in the way. Pure; times in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import NotReady

SHOWN_QUERY = 120


@dataclass(frozen=True)
class Terms:
    """What a migration may ask of a database that serves clients.

    A statement waits ``lock_timeout`` for its lock and takes at most ``statement_timeout``, or ``exclusive_timeout``
    where it locks out readers of a table that was there before. A concurrent index build waits
    ``concurrent_lock_timeout`` and takes as long as it takes. A lock that is not given is asked for ``tries`` times,
    after ``pause``, twice that, and so on to ``longest_pause``. Nobody queues behind a transaction that is older than
    ``old_transaction`` or idle for longer than ``idle_transaction``.
    """

    lock_timeout: float = 2.0
    statement_timeout: float = 900.0
    exclusive_timeout: float = 5.0
    concurrent_lock_timeout: float = 300.0
    tries: int = 10
    pause: float = 3.0
    longest_pause: float = 60.0
    old_transaction: float = 60.0
    idle_transaction: float = 30.0

    def pauses(self) -> list[float]:
        """What to wait after each try that is not the last."""
        return [min(self.pause * 2.0**number, self.longest_pause) for number in range(self.tries - 1)]


@dataclass(frozen=True)
class Blocker:
    """A session that holds what a statement needs; ``age`` of its transaction and ``idle`` in seconds, if known."""

    pid: int
    user: str
    application: str
    state: str
    age: float | None
    idle: float | None
    query: str
    tables: str = ""

    def is_old(self, terms: Terms) -> bool:
        """Whether to rather come again than to queue behind it, and have everybody else queue behind us."""
        stuck = self.state.startswith("idle in transaction") and (self.idle or 0.0) > terms.idle_transaction
        return stuck or (self.age or 0.0) > terms.old_transaction

    def sentence(self) -> str:
        """It in words for an operator."""
        age = "of unknown age" if self.age is None else f"for {self.age:.0f} s"
        who = f"pid {self.pid} ({self.user}{f', {self.application}' if self.application else ''})"
        query = "" if self.query == "<insufficient privilege>" else self.query
        query = query if len(query) <= SHOWN_QUERY else query[:SHOWN_QUERY] + "..."
        held = f" with {self.tables}" if self.tables else ""
        return f"{who} {self.state or 'in transaction'} {age}{held}: {query or 'query not visible'}"

    def as_dict(self) -> dict[str, object]:
        """Its fields by name."""
        return asdict(self)


class Busy(NotReady):
    """A lock was not given. ``blockers`` are the sessions in the way, as far as they can be seen."""

    def __init__(self, what: str, blockers: Sequence[Blocker], *, where: str = "", do: str = "") -> None:
        self.blockers = tuple(blockers)
        super().__init__(what, where=where, do=do)


def given_up(where: str, tries: int, blockers: Sequence[Blocker]) -> Busy:
    """What to say after the last try."""
    named = "; ".join(blocker.sentence() for blocker in blockers) or "nobody who can still be seen"
    pids = ", ".join(str(blocker.pid) for blocker in blockers)
    return Busy(
        f"the lock was not given in {tries} tries. In the way: {named}",
        blockers,
        where=where,
        do=f"end that transaction, for example by SELECT pg_terminate_backend({pids}), and run again"
        if len(blockers) == 1
        else "end what is in the way, or come at a quieter time",
    )
