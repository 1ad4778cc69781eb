# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Slices of time become windows: which of them belong together, and how long the next one should be."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures, figures_of, total
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Seen, Side
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import COLOURS, Colour, colour_of


@dataclass(frozen=True)
class Slice:
    """What the module traffic_window brought back; ``warm`` when it began during the warm-up."""

    seconds: float
    colours: Mapping[Colour, Figures]
    sockets: Mapping[Colour, int]
    probes: Figures
    looks: tuple[tuple[str, ...], ...]
    warm: bool


def slice_of(data: Mapping[str, Any], *, warm: bool) -> Slice:
    """The slice in a result of the module traffic_window."""
    probed = data["probes"]
    return Slice(
        seconds=float(data["seconds"]),
        colours={colour: figures_of(data["colours"][colour]) for colour in COLOURS},
        sockets={colour: int(data["colours"][colour]["sockets"]) for colour in COLOURS},
        probes=figures_of(probed) if probed else Figures(),
        looks=(tuple(probed["problems"]),) if probed else (),
        warm=warm,
    )


class Slices:
    """The slices of one share; those that no window needs any more are forgotten."""

    def __init__(self, candidate: str, serving: str, window: float, *, websockets: bool, synthetic: bool) -> None:
        self._candidate = colour_of(candidate)
        self._serving = colour_of(serving) if serving else None
        self._window = window
        self._websockets = websockets
        self._synthetic = synthetic
        self._kept: deque[Slice] = deque()

    def add(self, one: Slice) -> None:
        """Take in the next slice."""
        self._kept.append(one)
        while sum(kept.seconds for kept in list(self._kept)[1:]) >= self._window:
            self._kept.popleft()

    def window(self) -> Seen:
        """The last window, the warm-up left out."""
        return self._seen([one for one in self._kept if not one.warm])

    def lately(self) -> Seen:
        """The last window's time, the warm-up included."""
        return self._seen(list(self._kept))

    @property
    def failing(self) -> bool:
        """Whether the last look failed."""
        return bool(self._kept and self._kept[-1].looks and any(self._kept[-1].looks[-1]))

    def _seen(self, slices: Sequence[Slice]) -> Seen:
        last = slices[-1].sockets if slices else {}

        def side(colour: Colour) -> Side:
            return Side(colour, total(one.colours[colour] for one in slices), last.get(colour, 0))

        return Seen(
            seconds=sum(one.seconds for one in slices),
            candidate=side(self._candidate),
            baseline=side(self._serving) if self._serving else None,
            probes=total(one.probes for one in slices),
            looks=[look for one in slices for look in one.looks],
            websockets=self._websockets,
            synthetic=self._synthetic,
        )
