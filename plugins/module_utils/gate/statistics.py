# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two questions of statistics that the gate asks."""

from __future__ import annotations

import math
from collections.abc import Mapping

SURE = 1.645
"""Quantile of the normal distribution: one in twenty is wrong. A window; several of them must agree."""
VERY_SURE = 2.576
"""One in two hundred is wrong. For what is acted on at once."""


def at_least(failures: int, total: int, quantile: float = SURE) -> float:
    """The failure ratio in percent that is at least behind what was seen (Wilson's lower bound), 0 without samples."""
    if not total:
        return 0.0
    seen, square = failures / total, quantile * quantile
    centre = seen + square / (2 * total)
    spread = quantile * math.sqrt(seen * (1 - seen) / total + square / (4 * total * total))
    return max(0.0, 100 * (centre - spread) / (1 + square / total))


def slower(candidate: Mapping[int, int], baseline: Mapping[int, int]) -> float:
    """How likely it is to see latencies like these when the candidate is not slower (Mann-Whitney U, one-sided).

    Both count samples by value. Uses the normal distribution with a correction for equal values, so that some twenty
    samples of each are needed; 1.0 where there is nothing to compare.
    """
    first, second = sum(candidate.values()), sum(baseline.values())
    every = first + second
    if not first or not second:
        return 1.0
    ranks, ties, below = 0.0, 0, 0
    for value in sorted({*candidate, *baseline}):
        mine, here = candidate.get(value, 0), candidate.get(value, 0) + baseline.get(value, 0)
        ranks += mine * (below + (here + 1) / 2)
        ties += here**3 - here
        below += here
    larger = ranks - first * (first + 1) / 2
    variance = first * second / 12 * (every + 1 - ties / (every * (every - 1)))
    if variance <= 0:
        return 1.0
    return 0.5 * math.erfc((larger - first * second / 2 - 0.5) / math.sqrt(2 * variance))
