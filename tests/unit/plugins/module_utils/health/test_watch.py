# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.watch import Watched, watch


def watched(looks: str, seconds: float = 20.0, failures: int = 3) -> Watched:
    """Watch with one look for each letter: ``.`` good, ``x`` bad; each interval is 5 s on a clock of its own."""
    now = 0.0
    pending = list(looks)

    def sleep(amount: float) -> None:
        nonlocal now
        now += amount

    return watch(
        lambda: ["bad"] if pending.pop(0) == "x" else [],
        seconds=seconds,
        interval=5,
        failures=failures,
        clock=lambda: now,
        sleep=sleep,
    )


@pytest.mark.parametrize(
    ("looks", "ok", "count", "bad", "seconds"),
    [
        (".....", True, 5, 0, 20),
        ("x.x..", True, 5, 2, 20),
        ("x.x.x", False, 5, 3, 20),
        ("xxx", False, 3, 3, 10),
        ("....x", False, 5, 1, 20),
    ],
)
def test_a_watch(looks: str, ok: bool, count: int, bad: int, seconds: float) -> None:
    result = watched(looks)
    assert (result.ok, result.looks, result.bad, result.seconds) == (ok, count, bad, seconds)


@pytest.mark.parametrize(("look", "ok"), [(".", True), ("x", False)])
def test_a_single_look_decides_alone(look: str, ok: bool) -> None:
    assert watched(look, seconds=0).ok is ok


def test_the_problems_of_the_last_bad_look_are_kept() -> None:
    assert watched("x....").problems == ("bad",)
