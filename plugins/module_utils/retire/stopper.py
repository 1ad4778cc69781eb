# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on an application host when a colour's time is over: stops it, unless it has clients or was called back.

It is started by a timer of the host and needs no controller. The source of this file is what is installed there: it
imports nothing of the collection.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time
from pathlib import Path

LATER = 75  # the unit's exit status for: look again
ESTABLISHED = "01"
TABLES = ("tcp", "tcp6")
LOOKS, PAUSE = 10, 0.5  # a colour that serves has a connection now and again


def main(file: Path) -> int:
    """Do what ``file`` says; the exit status of the unit."""
    with (file.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = json.loads(file.read_text(encoding="utf-8"))
        if told["state"] != "scheduled" or time.time() < told["stop_at"] - 1:
            say(f"{told['colour']} is {told['state']}: nothing to do")
            return 0
        connected = busy(set(told["ports"]))
        if connected:
            say(f"{told['colour']} still has {connected} connections: looked at again in a minute")
            return LATER
        subprocess.run(["systemctl", "disable", "--quiet", "--now", "--", *told["units"]], check=True)
        following = file.with_name(file.name + ".next")
        following.write_text(json.dumps({**told, "state": "stopped"}, indent=2) + "\n", encoding="utf-8")
        following.replace(file)
    say(f"{told['colour']} is stopped, {told['release']} stays installed")
    return 0


def say(sentence: str) -> None:
    """Tell the journal."""
    sys.stdout.write(f"{sentence}\n")


def busy(ports: set[int]) -> int:
    """Connections to ``ports``, of the first of several looks that finds any."""
    for _look in range(LOOKS):
        found = connections(ports)
        if found:
            return found
        time.sleep(PAUSE)
    return 0


def connections(ports: set[int], tables: Path = Path("/proc/net")) -> int:
    """Established connections to ``ports`` of this host."""
    found = 0
    for table in TABLES:
        path = tables / table
        lines = path.read_text(encoding="ascii").splitlines()[1:] if path.exists() else []
        for fields in map(str.split, lines):
            found += fields[3] == ESTABLISHED and int(fields[1].rpartition(":")[2], 16) in ports
    return found


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
