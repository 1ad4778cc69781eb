# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs one program: an argument list, a deadline, its own process group, secrets in the environment only."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build.output import redact, tail
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed, InvalidInput

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NO_SPACE = "No space left on device"
SHOWN_COMMAND = 200


class NoSpace(CommandFailed):
    """The file system was full, or would have become so."""


@dataclass(frozen=True)
class Account:
    """Who runs a program; a program runs as the caller where no account is given."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, name: str) -> Account:
        """The account ``name`` of this host; :class:`InvalidInput` when there is none."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise InvalidInput(
                f"there is no user {name}", where="user", expected="the application's own user", do="create it first"
            ) from None
        return cls(name, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True)
class Context:
    """Where programs run: directory, complete environment, account, the values never to be shown, umask."""

    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    secrets: tuple[str, ...] = ()
    timeout: float = 300.0
    umask: int = 0o022


def in_release(release: Path, environment: Mapping[str, str], home: Path, **how: Any) -> Context:
    """How commands of the application run in ``release``: in its ``environment``; ``python`` is the release's own.

    ``how`` are the other fields of the context.
    """
    own = {"PATH": f"{release / 'venv' / 'bin'}:{STANDARD_PATH}", "HOME": str(home)}
    return Context(release, {**environment, **own}, **how)


def run(argv: Sequence[str], context: Context, *, what: str = "", allowed: Sequence[int] = (0,)) -> str:
    """Run ``argv`` and return what it printed (both streams, in order).

    ``what`` names the step in the error. Raises :class:`CommandFailed` with the last lines when the status is not
    in ``allowed`` or ``context.timeout`` seconds have passed (the whole process group is killed then), and
    :class:`NoSpace` when the output says that the disk is full.
    """
    began = time.monotonic()
    try:
        process: subprocess.Popen[str] = subprocess.Popen(
            list(argv),
            cwd=context.directory,
            env={"PATH": STANDARD_PATH, "LC_ALL": "C.UTF-8", **context.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors="replace",
            umask=context.umask,
            **_identity(context.account),
        )
    except OSError as error:
        raise _failure(argv, context, what, f"could not be started: {error.strerror}", "") from error
    try:
        output, _none = process.communicate(timeout=context.timeout)
    except subprocess.TimeoutExpired:
        output = _end(process)
        reason = f"still ran after {time.monotonic() - began:.0f} s and was killed"
        raise _failure(argv, context, what, reason, output) from None
    except BaseException:
        _end(process)
        raise
    _kill_group(process)
    if process.returncode not in allowed:
        raise _failure(argv, context, what, _ending(process.returncode), output)
    return output


def _identity(account: Account | None) -> dict[str, Any]:
    if account is None or account.uid == os.geteuid():
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def _end(process: subprocess.Popen[str]) -> str:
    """Kill the process and its children; what it had printed."""
    _kill_group(process)
    output, _none = process.communicate()
    return output or ""


def _kill_group(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _ending(status: int) -> str:
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"


def _failure(argv: Sequence[str], context: Context, what: str, reason: str, output: str) -> CommandFailed:
    command = redact(" ".join(argv), context.secrets)
    shown = command if len(command) <= SHOWN_COMMAND else command[:SHOWN_COMMAND] + "..."
    last = redact(tail(output), context.secrets)
    kind = NoSpace if NO_SPACE in output else CommandFailed
    return kind(
        f"{reason}: {shown}" + (f"\n{last}\n" if last else ""),
        where=what,
        do="free space on that file system and run again" if kind is NoSpace else "",
    )
