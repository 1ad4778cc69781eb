# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One verdict for the whole fleet after each step. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Failure:
    """One host that did not do a step, and why."""

    host: str
    task: str
    reason: str


@dataclass(frozen=True)
class Verdict:
    """Whether the fleet goes on. Once it is no, it stays no."""

    go: bool
    step: str
    failures: tuple[Failure, ...]
    sentence: str

    def as_fact(self) -> dict[str, Any]:
        """The verdict as plain data, for a fact."""
        return {**asdict(self), "failures": [asdict(failure) for failure in self.failures]}


#: Before the first step.
BEGINNING = Verdict(go=True, step="preflight", failures=(), sentence="preflight: every host can take part.")


def decide(
    step: str,
    wanted: Sequence[str],
    present: Collection[str],
    failures: Mapping[str, Mapping[str, str]],
    before: Mapping[str, Any] | None = None,
    wave: tuple[int, int] = (1, 1),
    unlocked: Sequence[str] = (),
) -> Verdict:
    """Judge a step.

    ``wanted`` hosts must have done it; those that are not ``present`` any more were lost; ``failures`` holds
    ``task`` and ``reason`` by host; ``before`` is the fact of the verdict so far; ``wave`` says which of how many
    waves of hosts has done it; ``unlocked`` says why the lock of this run cannot be relied on any more.
    """
    if before and not before["go"]:
        return Verdict(**{**before, "failures": tuple(Failure(**failure) for failure in before["failures"])})
    if unlocked:
        return Verdict(go=False, step=step, failures=(), sentence=f"{step}: {'; '.join(unlocked)}.")
    found = tuple(
        Failure(host, failures[host]["task"], failures[host]["reason"])
        if host in failures
        else Failure(host, "", "unreachable")
        for host in wanted
        if host in failures or host not in present
    )
    number, of = wave
    named = f"{step} (wave {number} of {of})" if of > 1 else step
    return Verdict(not found, step, found, _sentence(named, len(wanted), found))


def _sentence(step: str, count: int, failures: Sequence[Failure]) -> str:
    if not failures:
        return f"{step}: done" + (f" on all {count} hosts." if count > 1 else ".")
    first = failures[0]
    others = f", and {len(failures) - 1} more" if len(failures) > 1 else ""
    task = f" in '{first.task}'" if first.task else ""
    hosts = "hosts" if count > 1 else "host"
    reason = first.reason.rstrip().removesuffix(".")
    return f"{step}: {len(failures)} of {count} {hosts} failed; {first.host}{task}: {reason}{others}."
