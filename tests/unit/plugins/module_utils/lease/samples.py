# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host at a moment, and those who want its lock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.lease.lock import Claim, Process
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import Moment, later

NOON = "2026-11-22T12:00:00Z"
START = Moment("boot-a", 1000.0, NOON)
ANN = Claim("ann@laptop", Process("laptop", "b", "ns", 4711, "77"), "d1", "v2.0.0", "release", 120, 30)
BOB = Claim("bob@ci", Process("ci", "c", "ns", 12, "5"), "d2", "v2.0.1", "urgent", 120, 30)
FREEZE = Claim("ann@laptop", None, "freeze", "", "audit", 0, 0)


def after(seconds: float, **changes: Any) -> Moment:
    """So many seconds after the start; the wall clock goes with it unless it is said otherwise."""
    moment = Moment(START.boot, START.uptime + seconds, later(NOON, seconds))
    return replace(moment, **changes)
