# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the operator has been waiting, for plugins that run on the controller."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.plugin_utils import processes

UPTIME = Path("/proc/uptime")


def seconds_since_start() -> float:
    """Seconds since ``ansible-playbook`` was started; where the system does not tell, the CPU time of this process."""
    started = processes.process(os.getppid()).started
    if not started.isdigit():
        return round(time.process_time(), 1)
    uptime = float(UPTIME.read_text(encoding="utf-8").split()[0])
    return round(uptime - int(started) / os.sysconf("SC_CLK_TCK"), 2)
