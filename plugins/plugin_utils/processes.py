# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes on the controller, told apart also when their numbers are used again."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import clock
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.lock import Process

_STATE, _START = 0, 19  # fields of /proc/<pid>/stat after the name of the program


def user() -> str:
    """Who runs this, and where: ``ann@laptop``; with sudo the one who called it."""
    return f"{os.environ.get('SUDO_USER') or getpass.getuser()}@{socket.gethostname()}"


def process(pid: int) -> Process:
    """The process that has this number now; ``started`` is empty when there is none."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return Process(socket.gethostname(), clock.boot(), namespace, pid, _started(pid))


def dead(one: Process) -> bool:
    """Whether the process is known to be gone; of one on another machine nothing is known."""
    here = process(one.pid)
    if here.machine != one.machine:
        return False
    return not _exists(one.pid) or here.started not in ("?", one.started)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _started(pid: int) -> str:
    """Its start in ticks since boot; ``?`` when the system does not tell, empty when it is gone or only not buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return "?" if _exists(pid) else ""
    return "" if fields[_STATE] in ("Z", "X") else fields[_START]
