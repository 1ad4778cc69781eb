# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.retention import Keep, Taken, superfluous

DAY = 86400
SUNDAY = 1795305600.0  # 2026-11-22T00:00:00Z


def deploys(*days):
    return [Taken(f"d{day}", "deploy", SUNDAY + day * DAY) for day in days]


def nights(*days, hour=3):
    return [Taken(f"n{day}h{hour}", "scheduled", SUNDAY + day * DAY + hour * 3600) for day in days]


@pytest.mark.parametrize(
    ("backups", "keep", "gone"),
    [
        ([], Keep(), ()),
        (deploys(0, 1, 2), Keep(deploy=2), ("d0",)),
        (deploys(2, 0, 1), Keep(deploy=0), ("d0", "d1")),
        (nights(0, 1, 2), Keep(daily=2, weekly=0), ("n0h3",)),
        (nights(0, hour=3) + nights(0, 1, hour=5), Keep(daily=2, weekly=0), ("n0h3",)),
        (nights(-14, -13, -7, -1, 0, 1), Keep(daily=1, weekly=3), ("n-14h3", "n-13h3", "n-1h3")),
        (nights(0, 1) + deploys(5), Keep(deploy=1, daily=0, weekly=0), ("n0h3", "n1h3")),
        (nights(5) + deploys(0), Keep(deploy=0, daily=0, weekly=0), ("d0",)),
    ],
)
def test_what_goes(backups, keep, gone):
    assert superfluous(backups, keep) == gone


def test_the_newest_never_goes():
    assert superfluous(deploys(0), Keep(deploy=0, daily=0, weekly=0)) == ()
