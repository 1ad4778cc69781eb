# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``./dev test``: everything that must hold before a change is good, from the quickest to the longest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tools import checks, lab, on_host, optional, scenarios
from tools.console import say
from tools.log import Log, Outcome, conclude, timed
from tools.places import BIN, ROOT
from tools.ready import ready

SLICED = ("drill",)  # a benchmark needs the machine for itself


def unit(log: Log) -> None:
    log.run([BIN / "pytest"])


def short_slice(name: str, log: Log) -> None:
    """Run the short form of a long-running command."""
    log.run([ROOT / "dev", name, "--short"])


def everything() -> int:
    """Run it all, whatever fails on the way; take the lab away, print a summary and return the exit status."""
    ready()
    outcomes = checks.lint()
    say("unit")
    outcomes.append(timed("unit", unit))
    outcomes += on_host.test(on_host.choose())
    outcomes += scenarios.test(scenarios.known())
    outcomes += slices([name for name in SLICED if optional.exists(name)])
    lab.down()
    say(summary(outcomes))
    return conclude(outcomes)


def slices(names: Sequence[str]) -> list[Outcome]:
    """Run the short slices of ``names``."""
    if names:
        say("slices")
    return [timed(name, partial(short_slice, name)) for name in names]


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return a table of what ran, how it ended and how long it took."""
    width = max(len(outcome.name) for outcome in outcomes)
    rows = [
        f"  {outcome.name:<{width}}  {'passed' if outcome.passed else 'FAILED'}  {outcome.seconds:7.1f} s"
        for outcome in outcomes
    ]
    return "\n".join(["", "summary", *rows, ""])
