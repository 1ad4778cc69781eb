# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``./dev`` told to end (SIGTERM) ends what it started, down to the last playbook, before it goes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType

PROC = Path("/proc")
STATUS = 128 + signal.SIGTERM


def end_with_children() -> None:
    """From now on SIGTERM reaches every process below this one; then this one goes the way of an exception."""
    signal.signal(signal.SIGTERM, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for pid in below(os.getpid(), parents()):
        with suppress(ProcessLookupError, PermissionError):  # gone already; or root's, started by sudo
            os.kill(pid, signal.SIGTERM)
    sys.exit(STATUS)


def parents() -> dict[int, int]:
    """The parent of every process of this machine."""
    found = {}
    for path in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            # The second field, the name in parentheses, may hold anything.
            found[int(path.parent.name)] = int(path.read_text(errors="replace").rpartition(")")[2].split()[1])
    return found


def below(ancestor: int, known: dict[int, int]) -> Iterator[int]:
    """The children of ``ancestor`` and theirs, those first that are nearest to it."""
    generation: Iterable[int] = [ancestor]
    while generation := [pid for pid, parent in known.items() if parent in generation]:
        yield from generation
