# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One log file for each check or stage: everything that its programs said, and the tail of it when it fails."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.console import Trouble, say
from tools.environment import tool_environment
from tools.places import LOGS, ROOT
from tools.program import tail


@dataclass(frozen=True)
class Outcome:
    """How one check or stage ended; ``reason`` is empty when it passed."""

    name: str
    seconds: float
    reason: str = ""

    @property
    def passed(self) -> bool:
        return not self.reason


def why(said: str) -> str:
    """Return of what a program ``said`` its own error lines, or the last lines where it marks none."""
    errors = [line for line in said.splitlines() if line.startswith(("ERROR: ", "FATAL: "))]
    return "\n".join(errors) if errors else tail(said)


class Log:
    """Runs programs and keeps what they say in ``.lab/logs/NAME.log``."""

    def __init__(self, name: str) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.path = LOGS / f"{name.replace(' ', '-')}.log"
        self.path.write_text("")

    def run(
        self, argv: Sequence[str | Path], *, cwd: Path = ROOT, environment: Mapping[str, str] | None = None
    ) -> None:
        """Run ``argv`` with the tools' environment; :class:`Trouble` with the tail of the log if it fails."""
        words = [str(word) for word in argv]
        with self.path.open("a") as log:
            log.write(f"$ {shlex.join(words)}\n")
            log.flush()
            variables = {**os.environ, **tool_environment(), **(environment or {})}
            done = subprocess.run(
                words, cwd=cwd, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            )
        if done.returncode != 0:
            said = why(self.path.read_text(errors="replace"))
            raise Trouble(f"{said}\n[status {done.returncode}; all of it in {self.path.relative_to(ROOT)}]")

    def note(self, text: str) -> None:
        """Add ``text`` to the log."""
        with self.path.open("a") as log:
            log.write(text + "\n")


def timed(name: str, act: Callable[[Log], None]) -> Outcome:
    """Run ``act`` with a log of its own, print one line about it and return how it ended."""
    started = time.monotonic()
    try:
        act(Log(name))
    except (Trouble, OSError) as trouble:
        outcome = Outcome(name, time.monotonic() - started, str(trouble))
    else:
        outcome = Outcome(name, time.monotonic() - started)
    say(f"  {'ok    ' if outcome.passed else 'FAILED'} {name:<28} {outcome.seconds:6.1f} s")
    if outcome.reason:
        say("\n".join(f"      | {line}" for line in outcome.reason.splitlines()))
    return outcome


def conclude(outcomes: Sequence[Outcome]) -> int:
    """Print ``N passed, N failed`` and return the exit status that goes with it."""
    failed = sum(not outcome.passed for outcome in outcomes)
    say(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed or not outcomes else 0
