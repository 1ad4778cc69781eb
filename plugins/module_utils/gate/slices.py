# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One slice of time on a proxy: the log, the sockets, the traffic in force, the probes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.access_log import AccessLog
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures, percent
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.lines import tally
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.probes import Looked
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.sockets import live, totals
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import COLOURS, Colour
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.upstreams import Upstreams

POLL = 1.0
ALARM_REQUESTS = 10


class Probing(Protocol):
    """What sends probes."""

    def look(self) -> Looked:
        """Ask at every path once."""

    def further(self, requests: int, sockets: int) -> Figures:
        """Send so many more."""


@dataclass(frozen=True)
class Wanted:
    """What a slice shall be.

    It takes ``seconds``, and ends sooner when more than ``alarm`` percent of the candidate's requests failed or a look
    at it ran out of time. With a ``prober`` the candidate gets at least so many requests and handshakes, those of
    clients included.
    """

    candidate: Colour
    seconds: float
    alarm: float
    requests: int
    sockets: int
    prober: Probing | None


class Slicer:
    """``clock`` runs on when the host's time is set, and does not begin anew with the process."""

    def __init__(
        self,
        log: AccessLog,
        kernel: Kernel,
        upstreams: Upstreams,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._log = log
        self._kernel = kernel
        self._upstreams = upstreams
        self._clock = clock
        self._sleep = sleep

    def take(self, wanted: Wanted, since: Mapping[str, Any]) -> dict[str, Any]:
        """Watch for a while; ``since`` is the cursor of the slice before, so that none is left out between the two."""
        begun = self._clock()
        with ThreadPoolExecutor(1) as pool:  # who looks may have to wait for an answer, and the log goes on meanwhile
            looking = pool.submit(wanted.prober.look) if wanted.prober else None
            parts, unreadable = self._watch(wanted, begun + wanted.seconds, looking)
            looked = looking.result() if looking else None
        sockets = self._sockets()
        before = since.get("sockets") or sockets
        parts = {colour: _opened(parts[colour], sockets[colour] - before[colour]) for colour in COLOURS}
        probes = _probes(wanted, parts[wanted.candidate], looked)
        now = self._clock()
        return {
            "cursor": {**self._log.position.as_dict(), "at": now, "sockets": sockets},
            "seconds": round(now - float(since.get("at") or begun), 3),
            "colours": {colour: {**parts[colour].as_dict(), "sockets": sockets[colour]} for colour in COLOURS},
            "probes": {**probes.as_dict(), "problems": list(looked.problems)} if looked else None,
            "unreadable": unreadable,
            "gap": self._log.gap,
        }

    def _watch(self, wanted: Wanted, end: float, looking: Future[Looked] | None) -> tuple[dict[Colour, Figures], int]:
        parts, unreadable = {colour: Figures() for colour in COLOURS}, 0
        while True:
            counted = tally(self._log.read(), self._upstreams)
            parts = {colour: parts[colour] + counted.colours[colour] for colour in COLOURS}
            unreadable += counted.unreadable
            left = end - self._clock()
            if left <= 0 or alarming(parts[wanted.candidate], wanted.alarm) or _late(looking):
                return parts, unreadable
            self._sleep(min(POLL, left))

    def _sockets(self) -> dict[Colour, int]:
        return totals(live(self._kernel.sockets(), self._upstreams))


def _probes(wanted: Wanted, clients: Figures, looked: Looked | None) -> Figures:
    """The look, and what clients and look together fell short of; no more where an answer did not come in time."""
    if looked is None or wanted.prober is None:
        return Figures()
    had = clients + looked.figures
    if looked.late:
        return looked.figures
    missing = max(0, wanted.requests - had.requests), max(0, wanted.sockets - had.handshakes)
    return looked.figures + wanted.prober.further(*missing)


def _late(looking: Future[Looked] | None) -> bool:
    """Whether it is known by now that an answer did not come in time."""
    return looking is not None and looking.done() and looking.result().late


def alarming(figures: Figures, limit: float) -> bool:
    """Whether so much fails that the slice should be judged now; a limit of 0 means never."""
    return bool(limit) and figures.requests >= ALARM_REQUESTS and percent(figures.errors, figures.requests) > limit


def _opened(figures: Figures, more: int) -> Figures:
    """With the WebSockets that were opened: those that are there now and were not before, and those that ended."""
    return figures + Figures(opened=more + figures.ended)
