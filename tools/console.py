# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``./dev`` says while it works: one line a step, with its seconds; and how it ends when it cannot go on."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()


class Trouble(Exception):
    """Something the reader must set right: ``what`` happened and what to ``do`` about it."""

    def __init__(self, what: str, do: str = "") -> None:
        super().__init__(f"{what}\n  {do}" if do else what)
        self.what = what
        self.do = do


def say(text: str) -> None:
    """Print one line at once, whole, whoever else prints."""
    with _lock:
        print(text, flush=True)


def warn(text: str) -> None:
    """Print one line to standard error."""
    with _lock:
        print(text, file=sys.stderr, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Announce a piece of work and, when it is done, the seconds that it took.

    It is said on standard error: standard output belongs to the answer of the command.
    """
    warn(f"  ... {name}")
    started = time.monotonic()
    yield
    warn(f"  ok  {name} ({time.monotonic() - started:.1f} s)")
