# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One command of the user, as a process of its own that can be watched and killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Self

from tests.stage.project import INVENTORY, Project
from tools.console import Trouble
from tools.places import BIN, LOGS
from tools.program import tail

LONGEST = 300.0
TICK = 0.05


class Command:
    """A running ``ansible-playbook``; ``lines`` is what it has said so far, with the seconds since its start.

    It leads a process group, so that :meth:`kill` ends all of it at once, as when the operator's machine dies. A
    context manager: leaving it ends it.
    """

    def __init__(self, project: Project, name: str, words: Sequence[str], variables: Mapping[str, Any]) -> None:
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = LOGS / f"{name}.log"
        self.lines: list[tuple[float, str]] = []
        self.ended = 0.0
        self.started = time.monotonic()
        extra = ["-e", json.dumps(variables)] if variables else []
        self._process = subprocess.Popen(
            [str(BIN / "ansible-playbook"), *words, "-i", INVENTORY, *extra],
            cwd=project.path,
            env=project.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.log.open("w") as log, self._process.stdout or nullcontext(()) as lines:
            for line in lines:
                self.lines.append((time.monotonic() - self.started, line.rstrip()))
                log.write(f"{self.lines[-1][0]:7.2f} {line}")
                log.flush()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self, seconds: float = LONGEST) -> int:
        """Its exit status; :class:`Trouble` (and its end) when it takes longer than ``seconds``."""
        try:
            status = self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            self.kill()
            raise Trouble(f"It was still running after {seconds:.0f} s.\n{self.last_words()}") from late
        self._end()
        return status

    def _end(self) -> None:
        self.ended = self.ended or time.monotonic()
        self._reader.join(timeout=5)  # a process that outlives it may hold the pipe

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return (self.ended or time.monotonic()) - self.started

    def until(self, pattern: str, seconds: float = LONGEST) -> None:
        """Wait until it says a line that ``pattern`` is found in; :class:`Trouble` when it ends before."""
        wanted, seen, end = re.compile(pattern), 0, time.monotonic() + seconds
        while True:
            running = self.running
            if not running:
                self._end()
            for _at, line in self.lines[seen:]:
                seen += 1
                if wanted.search(line):
                    return
            if not running or time.monotonic() > end:
                raise Trouble(f"It never said {pattern!r}.\n{self.last_words()}")
            time.sleep(TICK)

    def kill(self) -> None:
        """End it and all that it started in its group, at once and without a word."""
        if self.running:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._end()

    @property
    def said(self) -> str:
        """All of it."""
        return "\n".join(line for _at, line in self.lines)

    def last_words(self, lines: int = 15) -> str:
        """The end of what it said."""
        return tail(self.said, lines)

    def reason(self) -> str:
        """The sentence in which it said how it ended."""
        return reason(self.said)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()


def reason(said: str) -> str:
    """Of what a playbook said, the message of its last failure, or the last one of all; one line."""
    found = re.findall(r"^\s+\"?msg\"?: (.+(?:\n {8,}\S.*)*)", said, re.MULTILINE)
    chosen = [text for text in found if "Not deployed" in text or "Not every" in text] or found
    return " ".join(chosen[-1].strip(">-|\"' \n").split()) if chosen else ""


def site(project: Project, name: str, variables: Mapping[str, Any], words: Sequence[str] = ()) -> Command:
    """A deployment that begins."""
    return Command(project, name, ["site.yml", *words], variables)


def rollback(project: Project, name: str, variables: Mapping[str, Any] | None = None) -> Command:
    """A rollback of the traffic that begins."""
    return Command(project, name, ["rollback.yml", "--tags", "traffic"], variables or {})
