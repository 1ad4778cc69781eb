# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import Moment, granted, later
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.lease.samples import START, after

WRONG_CLOCK = "2031-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("seconds", "now", "left"),
    [
        (120, START, 120),
        (120, after(119.5), 0.5),
        (120, after(120), 0),
        (120, after(9999), 0),
        (120, after(20, wall=WRONG_CLOCK), 100),  # a clock that jumped changes nothing
        (0, after(9999), math.inf),
        (120, Moment("boot-b", 30, "x"), 90),  # after a boot it begins anew
        (120, Moment("boot-b", 500, "x"), 0),
    ],
)
def test_what_is_left_of_a_term(seconds, now, left):
    assert granted(START, seconds).left(now) == left


def test_its_age_is_not_known_after_a_boot():
    assert granted(START, 1).age(after(7)) == 7
    assert granted(START, 1).age(Moment("boot-b", 3, "x")) is None


def test_later_passes_midnight():
    assert later("2026-12-31T23:59:50Z", 20) == "2027-01-01T00:00:10Z"
