# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running other programs: quietly, with their output kept for when they fail, as root where that is needed."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.console import Trouble
from tools.places import ROOT

TAIL_LINES = 40


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """Return the last ``lines`` lines of ``text``."""
    return "\n".join(text.rstrip().splitlines()[-lines:])


def as_root(argv: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> list[str]:
    """Return ``argv`` so that it runs as root, with ``environment`` added on the way (sudo drops the caller's)."""
    assignments = [f"{key}={value}" for key, value in (environment or {}).items()]
    prefix = ["env", *assignments] if assignments else []
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise Trouble(
                f"Root rights are needed for: {shlex.join(map(str, argv[:3]))} ..., and there is no sudo.",
                "Run ./dev as root, or install and configure sudo for this account.",
            )
        prefix = ["sudo", *prefix]
    return [*prefix, *map(str, argv)]


def run(
    argv: Sequence[str | Path],
    *,
    feed: str | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    seconds: float | None = None,
) -> str:
    """Run ``argv`` and return its standard output; :class:`Trouble` with the tail of what it said if it fails.

    ``feed`` goes to its standard input (the place for secrets, which never stand in ``argv``).
    """
    done = attempt(argv, feed=feed, environment=environment, cwd=cwd, seconds=seconds)
    if done.returncode != 0:
        raise Trouble(
            f"`{shlex.join(map(str, argv))}` ended with status {done.returncode}:\n{tail(done.stderr + done.stdout)}"
        )
    return done.stdout


def attempt(
    argv: Sequence[str | Path],
    *,
    feed: str | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    seconds: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``argv`` and return what it left, whatever its status."""
    try:
        return subprocess.run(
            [str(word) for word in argv],
            input=feed,
            stdin=None if feed is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=cwd,
            env={**os.environ, **environment} if environment else None,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError as error:
        raise Trouble(f"The program {argv[0]} is not there ({error.filename}).") from error
    except subprocess.TimeoutExpired as error:
        raise Trouble(f"`{shlex.join(map(str, argv))}` was still running after {seconds:.0f} s.") from error
