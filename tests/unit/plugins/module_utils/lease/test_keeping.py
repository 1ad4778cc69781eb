# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease.keeping import begun

FRESH = begun(120, 30, 1000.0)


def test_the_next_renewal_is_a_heartbeat_later():
    assert FRESH.due == 1030
    assert FRESH.succeeded(1031.0).due == 1061


def test_one_that_failed_is_tried_again_soon():
    failed = FRESH.failed(1031.0, "unreachable")
    assert (failed.due, failed.renewed) == (1036, 1000)
    assert failed.succeeded(1036.0).trouble == ""
    assert begun(4, 1, 0.0).failed(1.0, "x").due == 2


@pytest.mark.parametrize(
    ("keeping", "now", "alive", "problem"),
    [
        (FRESH, 1001, True, ""),
        (FRESH.failed(1031, "unreachable"), 1119, True, ""),
        (FRESH.failed(1031, "unreachable"), 1121, True, "could not be renewed for 121 s: unreachable"),
        (FRESH, 1121, True, "could not be renewed for 121 s: no answer"),
        (FRESH, 1001, False, "the process that renews its lock has ended"),
        (FRESH.gone("bob took it"), 1001, False, "bob took it"),
        (FRESH.succeeded(1030, "it went home"), 1031, True, "it went home"),
        (FRESH.succeeded(1030, "it went home").succeeded(1060), 1061, True, "it went home"),
        (begun(0, 30, 0.0), 9999, True, ""),
    ],
)
def test_whether_it_can_be_relied_on(keeping, now, alive, problem):
    found = keeping.problem(now, alive=alive)
    assert problem in found
    assert bool(found) == bool(problem)


def test_one_answer_is_not_waited_for_forever():
    assert FRESH.patience == 30
    assert begun(4, 1, 0.0).patience == 15
