# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at something again and again for a while and says whether it stayed well. Pure: clock and sleep are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Watched:
    """How often was looked, how many of the looks were bad, and what the last bad one saw."""

    looks: int
    bad: int
    problems: tuple[str, ...]
    seconds: float
    ok: bool


def watch(
    look: Callable[[], Sequence[str]],
    *,
    seconds: float,
    interval: float,
    failures: int,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Watched:
    """Look every ``interval`` seconds for ``seconds``; ``look`` returns its problems.

    ``failures`` bad looks end it at once. It ends well when fewer were bad and the last look was good; so a single
    look, which is what ``seconds=0`` means, must be good.
    """
    began = clock()
    looks = bad = 0
    problems: tuple[str, ...] = ()
    while True:
        seen = tuple(look())
        looks += 1
        if seen:
            bad, problems = bad + 1, seen
        passed = clock() - began
        if bad >= failures or passed >= seconds:
            return Watched(looks, bad, problems, round(passed, 3), ok=not seen and bad < failures)
        sleep(min(interval, max(0.0, seconds - passed)))
