# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user of the collection does: types ``ansible-playbook`` in a project, and knows nothing of the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.places import BIN, LAB
from tools.program import tail

OURS = ("ANSIBLE_", "MOLECULE_", "PYTHON")
"""Beginnings of the variables that the tools of the checkout set for themselves."""


def environment(**more: str) -> dict[str, str]:
    """The environment in which a user types: the project's own ansible.cfg counts, not the checkout's.

    The home is one of the lab's own, so that nothing is left in the real one. Ansible is told to say each line at once,
    although it does not talk to a terminal.
    """
    home = LAB / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(OURS)},
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{tempfile.gettempdir()}/greenlight-user-{os.getuid()}",  # must be short
        **more,
    }


class Playbook:
    """A running ``ansible-playbook`` in ``project``; what it says goes to a log, the name of its task is kept.

    ``more`` are variables of its environment.
    """

    def __init__(self, project: Path, words: Sequence[str], log: Path, **more: str) -> None:
        self.task = ""
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [str(BIN / "ansible-playbook"), *words],
            cwd=project,
            env=environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self.log.open("w") as log, self._process as process:
            for line in process.stdout or ():
                log.write(line)
                log.flush()
                self.task = task_name(line) or self.task

    def wait(self, tick: Callable[[str], None] = lambda _task: None, interval: float = 1.0) -> int:
        """Call ``tick(task)`` each ``interval`` seconds until it ends; its exit status. It is ended with us."""
        try:
            while True:
                tick(self.task)
                try:
                    status = self._process.wait(timeout=interval)
                except subprocess.TimeoutExpired:
                    continue
                self._reader.join()
                return status
        finally:
            if self._process.poll() is None:
                self._process.terminate()
                self._process.wait()

    def last_words(self, lines: int = 25) -> str:
        """The end of what it said."""
        return tail(self.log.read_text(errors="replace"), lines)


def task_name(line: str) -> str:
    """The task that a line of Ansible's output begins, without its role; empty for any other line.

    The tasks that Ansible adds to check a role's arguments are none.
    """
    match = re.match(r"(?:TASK|RUNNING HANDLER) \[(?:[\w.]+ : )?(.+)\] \**$", line.rstrip())
    return match[1] if match and not match[1].startswith("Validating arguments ") else ""
