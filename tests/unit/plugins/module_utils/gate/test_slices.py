# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.probes import Looked
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.slices import Slicer, Wanted
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.sockets import ESTABLISHED, Socket
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.gate.test_lines import (
    BLUE,
    GREEN,
    UPSTREAMS,
    line,
)


class Host:
    """A log that grows and sockets that come and go as time passes, one list of lines a second."""

    def __init__(self, *seconds):
        self.seconds, self.now, self.read_to = list(seconds), 500.0, 0
        self.gap = False
        self.position = self
        self.open = {BLUE: 270, GREEN: 0}

    def as_dict(self):
        return {"inode": 7, "offset": self.read_to}

    def read(self):
        written = self.seconds[self.read_to : int(self.now - 500) + 1]
        self.read_to += len(written)
        return [b"".join(lines) for lines in written]

    def sockets(self):
        return [
            Socket("10.0.0.5:1", address, ESTABLISHED) for address, count in self.open.items() for _one in range(count)
        ]

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Prober:
    def __init__(self, *, late=False):
        self.asked, self.late = [], late

    def look(self):
        return Looked(Figures(requests=2, opened=1), ("/health: status 503",), late=self.late)

    def further(self, requests, sockets):
        self.asked.append((requests, sockets))
        return Figures(requests=requests)


def take(host, since=None, prober=None, **wanted):
    slicer = Slicer(host, host, UPSTREAMS, host.clock, host.sleep)
    options = {"seconds": 3.0, "alarm": 20.0, "requests": 10, "sockets": 4, **wanted}
    return slicer.take(Wanted(candidate="green", prober=prober, **options), since or {})


def test_it_counts_for_so_long():
    host = Host([line()], [line(), line(colour="blue", upstream=BLUE)], [line(status="500")], [], [line()])
    taken = take(host)
    assert (taken["seconds"], host.now) == (3.0, 503.0)
    assert (taken["colours"]["green"]["requests"], taken["colours"]["green"]["errors"]) == (3, 1)
    assert (taken["colours"]["blue"]["requests"], taken["colours"]["blue"]["sockets"]) == (1, 270)
    assert taken["probes"] is None


def test_nothing_is_left_out_or_counted_twice_between_two_slices():
    host = Host([line()], [line()], [line()], [line()] * 5, [], [line()])
    first = take(host, seconds=1.0)
    host.sleep(2.5)
    second = take(host, first["cursor"], seconds=2.0)
    assert first["colours"]["green"]["requests"] + second["colours"]["green"]["requests"] == 9
    assert second["seconds"] == 4.5


def test_it_ends_early_when_most_fails():
    host = Host([line(status="500")] * 5, [line(status="500")] * 5, [], [])
    assert take(host, seconds=10.0)["seconds"] == 1.0
    host = Host([line(status="500")] * 5, [line(status="500")] * 5, [], [])
    assert take(host, seconds=10.0, alarm=0.0)["seconds"] == 10.0


def test_opened_sockets_are_those_that_are_there_and_those_that_ended():
    host = Host([])
    first = take(host, seconds=0.0)
    host.open = {BLUE: 240, GREEN: 25}
    host.seconds += [[line(300.0, ws="websocket", status="101")] * 4, [], [], []]
    second = take(host, first["cursor"])
    green, blue = (second["colours"][colour] for colour in ("green", "blue"))
    assert (green["opened"], green["ended"], blue["opened"]) == (29, 4, -30)


def test_probes_make_up_for_what_clients_did_not_send():
    prober = Prober()
    taken = take(Host([line()] * 4), prober=prober)
    assert prober.asked == [(4, 3)]
    assert taken["probes"]["requests"] == 6
    assert taken["probes"]["problems"] == ["/health: status 503"]
    take(Host([line()] * 40), prober=prober)
    assert prober.asked[1] == (0, 3)


def test_where_a_look_ran_out_of_time_no_more_is_sent():
    prober = Prober(late=True)
    assert take(Host([line()]), prober=prober)["probes"]["requests"] == 2
    assert prober.asked == []
