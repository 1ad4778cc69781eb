# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The loop around the gate: call after call to the proxy until there is a verdict. Time and calls are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Protocol

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.decision import decision_of
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import percent
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import (
    Judgement,
    Limits,
    Metric,
    Outcome,
    alarm,
    judge,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.machine import Gate, Phase, Rules, Said
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.report import live_line, window_report
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.windows import Slices, slice_of
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import colour_of, settled, shifting

TICK = 8.0
"""Seconds of one slice at most: with what a call costs, a live line comes every ten seconds."""
AGAIN = 2.0
"""Seconds of the slice after a look that failed."""
SPARE = 1.25
"""More probes than a window needs on average: it may be shorter by a part of a slice."""
LOST = 3
"""So many calls in a row that do not reach the proxy mean that it is lost."""


class Unreachable(GreenlightError):
    """A call did not reach the proxy."""


class World(Protocol):
    """All that the watch does not decide itself."""

    def clock(self) -> float:
        """Seconds, never going back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def sample(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call the module traffic_window. Raises Unreachable, or another GreenlightError when it failed."""

    def measure(self) -> Sequence[Metric]:
        """The metrics of the user's own."""

    def say(self, line: str) -> None:
        """Tell the operator."""

    def stopped(self) -> str:
        """Why the watch ended on another proxy, empty while it has not."""


@dataclass(frozen=True)
class Subject:
    """What is watched.

    ``serving`` is empty where nobody serves beside the candidate; ``how_to_decide`` is the command that a person gives.
    """

    candidate: str
    serving: str
    share: int
    websockets: bool
    synthetic: bool
    how_to_decide: str = ""


@dataclass
class Outcomes:
    """What became of a watch."""

    said: Said
    windows: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    cost: dict[str, float] = field(default_factory=dict)


class Watch:
    """One share on one proxy."""

    def __init__(self, subject: Subject, rules: Rules, limits: Limits, world: World) -> None:
        self._subject = subject
        self._rules = rules
        self._limits = limits
        self._world = world
        self._states = _states(subject)
        self._gate = Gate(rules)
        self._slices = Slices(
            subject.candidate,
            subject.serving,
            rules.window,
            websockets=subject.websockets,
            synthetic=subject.synthetic,
        )
        self._reports: list[dict[str, Any]] = []
        self._cursor: Mapping[str, Any] = {}
        self._began = world.clock()
        self._calls, self._cpu = 0, 0.0
        self._heeded = False
        self._asked = False

    def run(self) -> Outcomes:
        """Watch until there is a verdict. Raises Unreachable when the proxy is lost."""
        self._find_the_end()
        self._began = self._world.clock()
        while self._gate.said is None:
            self._turn()
        return Outcomes(self._gate.said, self._reports, round(self._now(), 1), self._cost())

    def _cost(self) -> dict[str, float]:
        """What the calls cost the proxy, in seconds and in percent of one core."""
        share = percent(self._cpu, max(self._now(), 1.0))
        return {"calls": self._calls, "cpu_seconds": round(self._cpu, 2), "percent": round(share, 2)}

    def _now(self) -> float:
        return self._world.clock() - self._began

    def _find_the_end(self) -> None:
        """What was logged before is none of ours."""
        try:
            self._heed(self._call({"seconds": 0, "probe": False}))
        except Unreachable:
            raise
        except GreenlightError as error:
            self._world.say(f"cannot measure: {error.what}")

    def _heed(self, sampled: Mapping[str, Any]) -> None:
        """A decision that is already there the first time is about something else."""
        decision = decision_of(sampled["decision"]) if sampled["decision"] else None
        if self._heeded:
            self._gate.decide(self._now(), decision)
        else:
            self._gate.disregard(decision)
            self._heeded = True

    def _call(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """One call; one that did not reach the proxy is made again, a few times."""
        for _attempt in range(1, LOST):
            with suppress(Unreachable):
                return self._sample(arguments)
            self._world.sleep(AGAIN)
        return self._sample(arguments)

    def _sample(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        sampled = self._world.sample({**arguments, "since": self._cursor})
        self._cursor = sampled["cursor"]
        self._calls += 1
        self._cpu += sampled["cpu_seconds"]
        return sampled

    def _turn(self) -> None:
        """One slice, and the window that ends with it."""
        seconds, warm = self._length(), self._gate.phase(self._now()) is Phase.WARM_UP
        try:
            sampled = self._call(self._wanted(seconds))
        except Unreachable:
            raise
        except GreenlightError as error:
            self._world.sleep(seconds)
            self._not_measured(error)
        else:
            self._note(sampled)
            self._slices.add(slice_of(sampled, warm=warm))
            self._take(sampled)
        self._gate.tick(self._now())
        self._speak()

    def _length(self) -> float:
        """Seconds of the next slice: up to the next thing that happens, and no longer than people like to wait."""
        now, phase = self._now(), self._gate.phase(self._now())
        if not self._rules.seconds and phase is Phase.WATCH:
            return 0.0
        limits = [TICK, self._rules.interval, self._gate.until_window(now) or self._rules.interval]
        if phase is Phase.WARM_UP:
            limits.append(self._rules.warm_up - now)
        if phase is Phase.WAIT:
            limits.append(self._gate.until_timeout(now))
        if self._slices.failing:
            limits.append(AGAIN)
        return round(min(limits), 2)

    def _wanted(self, seconds: float) -> dict[str, Any]:
        """A slice's part of the samples that a window needs; without synthetic clients, only a look at each path."""
        part = min(1.0, SPARE * seconds / self._rules.window) if seconds else 1.0
        requests = ceil(self._limits.minimum_requests * part) + 1 if self._subject.synthetic else 0
        sockets = ceil(self._limits.minimum_sockets * part) + 1 if self._subject.synthetic else 0
        return {"seconds": seconds, "alarm": self._limits.alarm, "requests": requests, "sockets": sockets}

    def _not_measured(self, error: GreenlightError) -> None:
        now = self._now()
        self._world.say(f"cannot measure: {error.what}")
        if not self._gate.until_window(now):
            self._see(now, Judgement(Outcome.UNKNOWN, str(error)))

    def _note(self, sampled: Mapping[str, Any]) -> None:
        """What may make the figures smaller than they were."""
        if sampled["gap"]:
            self._world.say("the access log was cut or removed while it was read: some requests are not counted")
        if sampled["unreadable"]:
            self._world.say(f"{sampled['unreadable']} lines of the access log are none of ours and are not counted")

    def _take(self, sampled: Mapping[str, Any]) -> None:
        now = self._now()
        if reason := self._world.stopped():
            self._gate.fail(reason)
        elif self._states and sampled["state"] not in self._states:
            self._gate.fail(self._elsewhere(sampled["state"]))
        self._heed(sampled)
        if self._gate.said:
            return
        if why := alarm(self._slices.lately(), self._limits):
            self._see(now, Judgement(Outcome.BAD, why, at_once=True))
        elif not self._gate.until_window(now):
            self._see(now, judge(self._slices.window(), self._limits, self._world.measure()))

    def _elsewhere(self, state: str) -> str:
        """Why there is nothing to watch any more: a rollback, the dead-man's switch or another run was here."""
        home = self._subject.serving
        sent_back = (
            f"every client was sent back to {home} meanwhile: " if state == settled(colour_of(home)).name else ""
        )
        return f"{sent_back}the proxy is in state {state}, no longer in {self._states[0]}"

    def _see(self, now: float, judgement: Judgement) -> None:
        seen = self._slices.lately() if judgement.at_once else self._slices.window()
        self._reports.append(window_report(now, seen, judgement))
        self._gate.see(now, judgement)

    def _speak(self) -> None:
        now, gate = self._now(), self._gate
        so_far = f"{gate.so_far}, {gate.until_timeout(now):.0f} s left" if gate.waiting_for else gate.so_far
        line = live_line(self._subject.share, now, self._rules.least, self._slices.lately(), so_far)
        self._world.say(line)
        if gate.waiting_for and not self._asked:
            self._asked = True
            self._world.say(f"{self._subject.candidate} {self._subject.share} %: {gate.waiting_for}.")
            self._world.say(f"Decide within {gate.until_timeout(now):.0f} s: {self._subject.how_to_decide}")


def _states(subject: Subject) -> list[str]:
    """The names of the states of the traffic in which the candidate has its share; none where nobody else serves."""
    if not subject.serving:
        return []
    candidate = colour_of(subject.candidate)
    states = [shifting(candidate, subject.share).name]
    return [*states, settled(candidate).name] if subject.share == 100 else states
