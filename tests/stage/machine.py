# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts about the machine on which something was measured."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def facts() -> str:
    """Processor, cores, memory, kernel: what a figure depends on."""
    cores = len(os.sched_getaffinity(0))
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model()}, {cores} cores, {gigabytes:.0f} GiB, Linux {platform.release().partition('-')[0]}"


def model() -> str:
    """The processor's name."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _colon, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()
