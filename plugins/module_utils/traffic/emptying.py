# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The instances of a colour on this host while they are emptied: asked, counted, and cut where nothing else helps."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.module_utils.services.systemd import Systemd
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contract import Contract
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.drain import (
    Ledger,
    Report,
    ledger,
    wait_until_empty,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.sockets import ESTABLISHED

STOP_SECONDS = 30.0


def connections(ports: Collection[int]) -> Counter[int]:
    """Established connections by local port, of any kind."""
    local = (int(one.local.rpartition(":")[2]) for one in Kernel().sockets() if one.state == ESTABLISHED)
    return Counter(port for port in local if port in ports)


class Instances:
    """Those that know the drain contract tell what they have open, of the others the connections are counted.

    ``before`` and ``now`` are connections by port, ``unanswered`` says who did not answer by the contract, and why.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = ports
        self._contract: Contract | None = None
        self._first: list[Report] = []
        self._last: list[Report] = []
        self.unanswered: list[Report] = []
        self.before = self.now = connections(ports)

    def ask(self, contract: Contract, body: bytes) -> None:
        """Ask by the contract with ``body``, or only for what is open when it is empty."""
        ports = list(contract.addresses)
        said = contract.drain(ports, body) if body else contract.look(ports)
        self._contract = contract
        self.unanswered = [report for report in said if report.why]
        self._first = self._last = [report for report in said if not report.why]

    @property
    def is_reached(self) -> bool:
        """Whether any of them answered by the contract."""
        return bool(self._first)

    @property
    def requests(self) -> int:
        """HTTP requests under way, in those that know the contract."""
        return sum(report.requests for report in self._last)

    def wait(self, deadline: float) -> float:
        """Wait until none has a socket or a request left, at most ``deadline`` seconds; the seconds that it took."""
        if not self._ports or deadline <= 0:
            return 0.0
        return wait_until_empty(self._busy, deadline, time.monotonic, time.sleep)

    def ledger(self) -> Ledger:
        """What became of the sockets so far."""
        return ledger(self._first, self._last, (self._others(self.before), self._others(self.now)))

    def restart_one_by_one(self, listening: Sequence[Listener], over: float) -> int:
        """Restart those that have connections, evenly within ``over`` seconds; how many connections that cut."""
        self.now = connections(self._ports)
        units = {one.port: one.unit for one in listening if self.now[one.port] and one.unit}
        systemd, cut = Systemd(STOP_SECONDS), 0
        for number, port in enumerate(sorted(units)):
            if number:
                time.sleep(over / len(units))
            cut += connections([port])[port]
            systemd.start([units[port]])
        self.now = connections(self._ports)
        return cut

    def _busy(self) -> int:
        self.now = connections(self._ports)
        if self._contract:
            said = self._contract.look([report.port for report in self._first])
            self._last = [self._update(*pair) for pair in zip(self._last, said, strict=True)]
        return sum(report.busy for report in self._last) + self._others(self.now)

    def _update(self, before: Report, now: Report) -> Report:
        """One that does not answer any more has what it has connections."""
        return replace(before, open=self.now[now.port], requests=0) if now.why else now

    def _others(self, counted: Counter[int]) -> int:
        known = {report.port for report in self._first}
        return sum(counted[port] for port in self._ports if port not in known)
