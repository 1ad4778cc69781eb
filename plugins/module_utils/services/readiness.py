# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When an instance counts as ready, and when it never will. Pure: the caller brings clock, states and probes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import Instance
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState

WAITING, READY, FAILED = "waiting", "ready", "failed"
CRASHES = 2
"""Restarts by systemd after which an instance is in a crash loop; one may be a dependency that was late."""
LONGEST = 600.0


@dataclass(frozen=True)
class Limits:
    """What readiness takes, all times in seconds; ``successes`` in a row, no restart for ``steady``.

    ``timeout`` is for everything, the start of the process included, which takes longer on a busy host. An instance
    that is up and itself says that it is not ready may say so for ``refusal``.
    """

    timeout: float = 60.0
    refusal: float = LONGEST
    interval: float = 1.0
    probe_timeout: float = 5.0
    successes: int = 3
    steady: float = 10.0


@dataclass(frozen=True)
class Probe:
    """The outcome of all questions to an instance; ``asked`` and ``answer`` describe the first that failed.

    ``refused`` when the instance is up and says itself that it is not ready.
    """

    ok: bool
    asked: str = ""
    answer: str = ""
    refused: bool = False


class Watch:
    """Follows one instance from its start until it is ready or lost."""

    def __init__(self, instance: Instance, limits: Limits, began: float, restarts: int = 0) -> None:
        self.instance = instance
        self.state = WAITING
        self.seconds = 0.0
        self.unit = UnitState(instance.unit)
        self.probe = Probe(ok=False, asked="nothing yet")
        self.why = ""
        self._limits = limits
        self._began = began
        self._restarts = restarts
        self._successes = 0
        self._willing = began  # when it last did not refuse

    def observe(self, now: float, unit: UnitState, probe: Probe) -> str:
        """Take in what was seen at ``now`` (monotonic seconds) and return the state: waiting, ready or failed."""
        if self.state != WAITING:
            return self.state
        self.unit, self.probe, self.seconds = unit, probe, now - self._began
        self._successes = self._successes + 1 if probe.ok and unit.running else 0
        self._willing = self._willing if probe.refused else now
        self.why = self._lost(unit) or self._late(now)
        if self._ready(now, unit):
            self.state, self.why = READY, ""
        elif self.why:
            self.state = FAILED
        return self.state

    def _ready(self, now: float, unit: UnitState) -> bool:
        crashed = unit.restarts - self._restarts >= CRASHES
        enough = self._successes >= self._limits.successes
        return enough and not crashed and now - unit.active_since >= self._limits.steady

    def _lost(self, unit: UnitState) -> str:
        if unit.load != "loaded":
            return f"systemd does not know the unit ({unit.load})"
        if unit.active == "failed":
            return "the unit failed"
        if unit.restarts - self._restarts >= CRASHES:
            return f"crash loop: {unit.restarts - self._restarts} restarts in {self.seconds:.0f} s"
        return ""

    def _late(self, now: float) -> str:
        if now - self._began >= self._limits.timeout:
            return f"not ready after {self._limits.timeout:.0f} s"
        if now - self._willing >= self._limits.refusal:
            return f"up, and not ready for {self._limits.refusal:.0f} s"
        return ""


def limits_from(raw: Mapping[str, object]) -> Limits:
    """The limits in ``raw``; :class:`InvalidInput` names the one that makes no sense."""
    known = {name: type(value) for name, value in vars(Limits()).items()}
    unknown = sorted(raw.keys() - known.keys())
    if unknown:
        raise InvalidInput(f"unknown key {unknown[0]}", where="readiness", expected="one of " + ", ".join(known))
    limits = Limits(**{name: known[name](value) for name, value in raw.items()})
    for name, least, most in (
        ("timeout", 1, LONGEST),
        ("refusal", 1, LONGEST),
        ("interval", 0.05, LONGEST),
        ("probe_timeout", 0.1, LONGEST),
        ("successes", 1, 100),
        ("steady", 0, LONGEST),
    ):
        if not least <= getattr(limits, name) <= most:
            raise InvalidInput(f"{getattr(limits, name)}", where=f"readiness.{name}", expected=f"{least} to {most}")
    if limits.steady >= limits.timeout:
        raise InvalidInput(
            f"{limits.steady:g} s without a restart cannot be seen within {limits.timeout:g} s",
            where="readiness.steady",
            expected="less than readiness.timeout",
        )
    return limits


def first_failed(watches: Sequence[Watch]) -> Watch | None:
    """The instance to report: the first that failed."""
    return next((watch for watch in watches if watch.state == FAILED), None)
