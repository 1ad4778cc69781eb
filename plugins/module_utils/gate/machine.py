# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From windows to one verdict. Time is told; whatever it is told, it ends, and what it said it never takes back."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision import Decision
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Judgement, Outcome


class Phase(str, Enum):
    """Where the gate is; ``WAIT`` is for a person's decision."""

    WARM_UP = "warm-up"
    WATCH = "watch"
    WAIT = "wait"
    ENDED = "ended"


class Verdict(str, Enum):
    """What the gate says in the end."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Rules:
    """``seconds`` is how long to watch at least; all times are in seconds. See ``greenlight_gate``."""

    seconds: float
    interval: float = 30
    window: float = 60
    warm_up: float = 60
    failures: int = 3
    of: int = 5
    measure_errors: int = 4
    decision_timeout: float = 1800

    @property
    def first(self) -> float:
        """When the first window ends. Watching for 0 seconds is one look without a warm-up."""
        return self.warm_up + self.window if self.seconds else 0.0

    @property
    def slack(self) -> float:
        """How much too early a window may end, rather than waiting for a moment."""
        return min(1.0, self.interval / 5)

    @property
    def least(self) -> float:
        """How long the gate takes when all is well."""
        return max(self.seconds, self.first)


def rules_of(gate: Mapping[str, Any], seconds: float) -> Rules:
    """The rules among the options of ``greenlight_gate``. To watch for 0 seconds is to look once."""
    once = {} if seconds else {"failures": 1, "of": 1, "measure_errors": 1}
    names = [name for name in Rules.__dataclass_fields__ if name != "seconds"]
    return Rules(seconds, **{name: gate[name] for name in names} | once)


@dataclass(frozen=True)
class Said:
    """The verdict and its reason in one sentence; ``by`` is the decision of the person who made it, if one did."""

    verdict: Verdict
    why: str
    by: Decision | None = None


class Gate:
    """One share of one deployment on one proxy. ``now`` is always seconds since the gate began."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.said: Said | None = None
        self._recent: deque[bool] = deque(maxlen=rules.of)
        self._unknown = 0
        self._good = 0
        self._windows = 0
        self._next = rules.first
        self._waits_since: float | None = None
        self._why = ""
        self._old = ""
        self._promotion: Decision | None = None

    def phase(self, now: float) -> Phase:
        """Where the gate is."""
        if self.said:
            return Phase.ENDED
        if self._waits_since is not None:
            return Phase.WAIT
        return Phase.WARM_UP if self.rules.seconds and now < self.rules.warm_up else Phase.WATCH

    @property
    def so_far(self) -> str:
        """What it looks like, for the live line."""
        if self.said:
            return self.said.verdict.value
        if self._waits_since is not None:
            return "a person must decide"
        if not self._windows:
            return "no window yet"
        bad = self._recent.count(False)
        if self._unknown:
            return f"not measured {self._unknown} of {self.rules.measure_errors} times"
        return (
            f"{bad} bad of the last {len(self._recent)} windows, limit {self.rules.failures}" if bad else "good so far"
        )

    @property
    def waiting_for(self) -> str:
        """Why a person must decide, empty when none must."""
        return self._why if self._waits_since is not None and not self.said else ""

    def until_window(self, now: float) -> float:
        """Seconds until the next window ends."""
        left = self._next - now
        return left if left > self.rules.slack else 0.0

    def until_timeout(self, now: float) -> float:
        """Seconds that a person has left to decide."""
        return max(0.0, (self._waits_since or 0.0) + self.rules.decision_timeout - now)

    def see(self, now: float, window: Judgement) -> None:
        """Take in a window that has ended."""
        if self.said:
            return
        self._windows += 1
        while not self.until_window(now):
            self._next += self.rules.interval
        if window.outcome is Outcome.UNKNOWN:
            self._unmeasured(now, window.why)
            return
        self._unknown = 0
        self._recent.append(window.outcome is Outcome.GOOD)
        if window.outcome is Outcome.BAD:
            self._bad(window)
        else:
            self._good += 1
            self._maybe_pass(now, window)

    def _unmeasured(self, now: float, why: str) -> None:
        self._unknown += 1
        if self._unknown >= self.rules.measure_errors and self._waits_since is None:
            times = f"{self._unknown} times in a row" if self._unknown > 1 else "once"
            self._why = f"it could not be measured, {times}: {why}"
            self._waits_since = now
            self.tick(now)

    def _bad(self, window: Judgement) -> None:
        bad = self._recent.count(False)
        if window.at_once:
            self._say(Verdict.FAIL, window.why)
        elif bad >= self.rules.failures:
            self._say(Verdict.FAIL, f"{window.why} ({bad} bad of the last {len(self._recent)} windows)")

    def _maybe_pass(self, now: float, window: Judgement) -> None:
        if self._waits_since is None and now >= self.rules.seconds - self.rules.slack:
            self._say(Verdict.PASS, f"{self._good} of {self._windows} windows were good; {window.why}")

    def fail(self, why: str) -> None:
        """Something that ends the watch whatever the windows say."""
        if not self.said:
            self._say(Verdict.FAIL, why)

    def disregard(self, decision: Decision | None) -> None:
        """A decision that was made about something else."""
        self._old = decision.id if decision else ""

    def decide(self, now: float, decision: Decision | None) -> None:
        """Take in a person's last decision: to abort acts at once, to promote only where the gate cannot decide."""
        if self.said or decision is None or decision.id == self._old:
            return
        if decision.promotes:
            self._promotion = decision
            self.tick(now)
        else:
            self._say(Verdict.FAIL, decision.sentence, decision)

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self.said or self._waits_since is None:
            return
        if self._promotion is not None:
            self._say(Verdict.PASS, self._promotion.sentence, self._promotion)
        elif not self.until_timeout(now):
            self._say(
                Verdict.INCONCLUSIVE, f"{self._why}; nobody decided within {self.rules.decision_timeout:.0f} seconds"
            )

    def _say(self, verdict: Verdict, why: str, by: Decision | None = None) -> None:
        self.said = Said(verdict, why, by)
