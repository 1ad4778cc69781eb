# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo's clients: one process that goes on through all acts, cut into acts by commands on its standard input."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tools.console import Trouble
from tools.places import BIN, COLLECTIONS, LOGS
from tools.program import tail

LOAD = "ansible_collections.greenlight.deploy.plugins.module_utils.health.load"
ANSWER_SECONDS = 60.0
LONGEST = 3600


@dataclass(frozen=True)
class Aim:
    """Whom the clients ask and how much: ``address`` is connected to, ``domain`` is asked for."""

    domain: str
    address: str
    ca_file: Path
    rate: float
    sockets: int


def words(aim: Aim, result: Path) -> list[str]:
    """The command line of the load."""
    return [
        str(BIN / "python"),
        "-m",
        LOAD,
        f"--url=https://{aim.domain}",
        f"--connect={aim.address}",
        f"--ca-file={aim.ca_file}",
        f"--rate={aim.rate}",
        f"--sockets={aim.sockets}",
        f"--seconds={LONGEST}",
        f"--json={result}",
        "--control",
    ]


class Traffic:
    """The clients, as a process. A context manager: leaving it stops them."""

    def __init__(self, aim: Aim) -> None:
        self._result = LOGS / "demo-traffic.json"
        self._errors = LOGS / "demo-traffic.log"
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.now: dict[str, Any] | None = None
        """The last second, as the load reports it."""
        LOGS.mkdir(parents=True, exist_ok=True)
        self._result.unlink(missing_ok=True)
        with self._errors.open("w") as errors:
            self._process = subprocess.Popen(
                words(aim, self._result),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            event = json.loads(line)
            if event["event"] == "second":
                self.now = event
            else:
                self._events.put(event)
        self._events.put({"event": "gone"})

    def _command(self, text: str) -> None:
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(text + "\n")
                self._process.stdin.flush()
        except BrokenPipeError:
            pass  # its end is seen by whoever waits for its answer

    def _wait(self, kind: str) -> dict[str, Any]:
        try:
            event = self._events.get(timeout=ANSWER_SECONDS)
        except queue.Empty as empty:
            raise Trouble(f"The clients did not answer within {ANSWER_SECONDS:.0f} s.", self._said()) from empty
        if event["event"] != kind:
            raise Trouble("The clients ended before they were told to.", self._said())
        return event

    def _said(self) -> str:
        return tail(self._errors.read_text(errors="replace")) or f"See {self._errors}"

    def cut(self, name: str) -> dict[str, Any]:
        """Begin act ``name``; the figures of the act that ended."""
        self._command(f"act {name}")
        figures: dict[str, Any] = self._wait("act")["figures"]
        return figures

    def finish(self) -> tuple[dict[str, Any], list[str]]:
        """Stop; the whole result, and why it is not clean (empty when nothing failed, was lost or doubled)."""
        self._command("stop")
        problems: list[str] = self._wait("end")["problems"]
        self._process.wait(timeout=ANSWER_SECONDS)
        result: dict[str, Any] = json.loads(self._result.read_text())
        return result, problems

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=ANSWER_SECONDS)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._reader.join(timeout=ANSWER_SECONDS)
