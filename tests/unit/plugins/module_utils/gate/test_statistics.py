# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import random
from collections import Counter

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.statistics import VERY_SURE, at_least, slower


@pytest.mark.parametrize(
    ("failures", "samples", "quantile", "ratio"),
    [
        (0, 0, 1.645, 0.0),
        (0, 50, 1.645, 0.0),
        (1, 50, 1.645, 0.46),
        (37, 410, 1.645, 6.96),
        (10, 10, VERY_SURE, 60.1),
        (50, 50, 1.96, 92.87),  # a textbook's value
    ],
)
def test_what_is_at_least_behind_it(failures, samples, quantile, ratio):
    assert at_least(failures, samples, quantile) == pytest.approx(ratio, abs=0.05)


def test_it_is_never_more_than_what_was_seen_and_grows_with_samples():
    for failures in (1, 5, 20):
        bounds = [at_least(failures * times, 100 * times) for times in (1, 2, 10, 100)]
        assert bounds == sorted(bounds)
        assert bounds[-1] < failures


def latencies(middle, count, seed):
    dice = random.Random(seed)
    return Counter(round(dice.lognormvariate(0, 0.4) * middle) for _sample in range(count))


def test_the_same_is_not_slower_and_the_slower_is():
    same = [slower(latencies(20, 200, seed), latencies(20, 2000, seed + 100)) for seed in range(60)]
    assert sum(chance < 0.02 for chance in same) <= 4
    assert all(slower(latencies(30, 200, seed), latencies(20, 2000, seed + 100)) < 0.001 for seed in range(20))
    assert all(slower(latencies(15, 200, seed), latencies(20, 2000, seed + 100)) > 0.9 for seed in range(20))


def test_as_in_the_tables():
    """Nine values each, without ties: U = 63 of 81."""
    first = Counter([1.1, 2.2, 5, 6, 7, 8, 9, 10, 11])
    second = Counter([0.5, 0.6, 0.7, 1, 2, 3, 4, 4.5, 6.5])
    assert slower(first, second) == pytest.approx(0.0135, abs=0.012)
    assert slower(second, first) > 0.95


@pytest.mark.parametrize(("candidate", "baseline"), [({}, {1: 5}), ({1: 5}, {}), ({3: 50}, {3: 50})])
def test_nothing_to_compare(candidate, baseline):
    assert slower(candidate, baseline) == 1.0
