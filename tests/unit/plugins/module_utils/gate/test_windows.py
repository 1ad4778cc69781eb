# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.windows import Slices, slice_of


def slice_with(seconds=10.0, *, warm=False, requests=100, sockets=5, problems=()):
    figures = Figures(requests=requests, latencies={5: requests})
    colours = {colour: {**figures.as_dict(), "sockets": sockets} for colour in ("blue", "green")}
    probes = {**Figures(requests=2).as_dict(), "problems": list(problems)}
    return slice_of({"seconds": seconds, "colours": colours, "probes": probes}, warm=warm)


def slices(serving="blue"):
    return Slices("green", serving, 30.0, websockets=True, synthetic=True)


@pytest.mark.parametrize(("count", "requests"), [(1, 100), (3, 300), (7, 300)])
def test_a_window_is_made_of_its_last_slices(count, requests):
    kept = slices()
    for _number in range(count):
        kept.add(slice_with())
    window = kept.window()
    assert (window.candidate.figures.requests, window.seconds, len(window.looks)) == (
        requests,
        requests / 10,
        requests // 100,
    )
    assert (window.baseline.figures.requests, window.candidate.sockets) == (requests, 5)


def test_the_warm_up_is_no_part_of_a_window_and_is_still_seen():
    kept = slices()
    kept.add(slice_with(warm=True, requests=7))
    kept.add(slice_with(requests=100))
    assert (kept.window().candidate.figures.requests, kept.lately().candidate.figures.requests) == (100, 107)


def test_slices_of_uneven_length_cover_the_window():
    kept = slices()
    for seconds in (20.0, 12.0, 9.0, 8.0):
        kept.add(slice_with(seconds))
    assert kept.window().seconds == 49.0
    kept.add(slice_with(15.0))
    assert kept.window().seconds == 32.0


def test_nobody_beside_the_candidate_and_nothing_yet():
    window = slices("").window()
    assert (window.baseline, window.candidate.sockets, window.seconds) == (None, 0, 0)


def test_the_last_look_failed():
    kept = slices()
    assert not kept.failing
    kept.add(slice_with(problems=["/health: status 503"]))
    assert kept.failing
    kept.add(slice_with())
    assert not kept.failing
