# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections import Counter

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import (
    Figures,
    above,
    bucket,
    figures_of,
    percent,
    total,
)


@pytest.mark.parametrize(
    ("milliseconds", "kept"), [(0, 0), (7, 7), (999, 999), (1004, 1000), (1005, 1010), (30044, 30000), (123456, 123000)]
)
def test_latencies_keep_three_digits(milliseconds, kept):
    assert bucket(milliseconds) == kept
    assert abs(kept - milliseconds) <= 0.005 * milliseconds


def test_percentiles_are_those_of_the_whole():
    figures = Figures(requests=100, latencies=Counter(range(1, 101)))
    assert [figures.latency(share) for share in (0.5, 0.95, 0.99, 1.0)] == [0.05, 0.095, 0.099, 0.1]
    assert Figures().latency(0.95) is None
    assert above(figures.latencies, 0.095) == 5


def test_slices_add_up():
    first = Figures(requests=10, errors=1, opened=-2, ended=3, latencies={5: 10})
    second = Figures(requests=5, taken_over=1, opened=4, refused=1, latencies={5: 1, 9: 4})
    both = total([first, second])
    assert both == Figures(requests=15, errors=1, taken_over=1, opened=2, ended=3, refused=1, latencies={5: 11, 9: 4})
    assert total([]) == Figures()
    assert (both.handshakes, round(both.refused_ratio, 1), round(both.error_ratio, 1)) == (3, 33.3, 6.7)


def test_more_sockets_ended_than_opened_are_no_handshakes():
    assert Figures(opened=-5, refused=2).handshakes == 2


def test_they_survive_the_way_to_the_controller():
    figures = Figures(requests=2, errors=1, cut_short=1, latencies={12: 1, 1840: 1})
    assert figures_of(json.loads(json.dumps(figures.as_dict()))) == figures


def test_nothing_of_nothing_is_nothing():
    assert (percent(0, 0), Figures().error_ratio, Figures().refused_ratio) == (0.0, 0.0, 0.0)


def test_people_read_ratios_and_seconds():
    said = Figures(requests=3, errors=1, opened=2, latencies={12: 2, 500: 1}).summary()
    assert (said["error_ratio"], said["p50"], said["p99"], said["handshakes"]) == (33.33, 0.012, 0.5, 2)
