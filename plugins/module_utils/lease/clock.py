# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clocks of this host."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import WALL, Moment

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def boot() -> str:
    """The id of this boot; empty on a system that has none."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def uptime() -> float:
    """Seconds that no setting of the clock changes and no sleep stops."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def now() -> Moment:
    """This moment on this host."""
    return Moment(boot(), uptime(), datetime.now(timezone.utc).strftime(WALL))
