# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the operator has been waiting, for plugins that run on the controller."""

from __future__ import annotations

import os
import time
from pathlib import Path

_START_FIELD = 19  # of /proc/<pid>/stat behind the program's name, in clock ticks since the boot


def seconds_since_start() -> float:
    """Seconds since ``ansible-playbook`` was started; where the kernel does not tell, since this process was."""
    try:
        stat = Path(f"/proc/{os.getppid()}/stat").read_text(encoding="utf-8")
        uptime = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
    except OSError:
        return round(time.process_time(), 1)
    ticks = int(stat.rpartition(")")[2].split()[_START_FIELD])
    return round(uptime - ticks / os.sysconf("SC_CLK_TCK"), 2)
