# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who listens on which TCP port of this host."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECONDS = 10.0
_HOLDER = re.compile(r'\("(?P<program>[^"]*)",pid=(?P<pid>\d+)')
_UNIT = re.compile(r"/([^/]+\.(?:service|socket|scope))")


@dataclass(frozen=True)
class Listener:
    """One listening socket; ``pid`` is 0 and ``unit`` empty where the kernel does not tell."""

    address: str
    port: int
    program: str
    pid: int
    unit: str = ""


def listeners() -> list[Listener]:
    """Every TCP socket of this host that listens, with the systemd unit of its holder."""
    listed = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True, timeout=SECONDS)
    return [
        Listener(found.address, found.port, found.program, found.pid, _unit_of(found.pid))
        for found in parse(listed.stdout)
    ]


def parse(text: str) -> Iterator[Listener]:
    """Read what ``ss -Hltnp`` prints: state, queues, local address, peer, holders."""
    for line in text.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) < 5:
            continue
        address, port = fields[3].rsplit(":", 1)
        holder = _HOLDER.search(fields[5]) if len(fields) > 5 else None
        program, pid = (holder["program"], int(holder["pid"])) if holder else ("", 0)
        yield Listener(address.strip("[]").partition("%")[0], int(port), program, pid)


def unit_in(cgroup: str) -> str:
    """The systemd unit in the text of ``/proc/PID/cgroup``, or nothing."""
    found = _UNIT.findall(cgroup)
    return found[-1] if found else ""


def _unit_of(pid: int) -> str:
    try:
        return unit_in(Path(f"/proc/{pid}/cgroup").read_text())
    except OSError:
        return ""
