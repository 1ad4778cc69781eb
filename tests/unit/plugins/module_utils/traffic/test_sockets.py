# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import sockets
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.sockets import Socket

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0B4D630A:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0000000000000000 100
   1: 0B4D630A:D0C8 154D630A:1FA5 01 00000000:00000000 00:00000000 00000000    33        0 12 1 0000000000000000 20
   2: 0B4D630A:D0CA 154D630A:1FA5 01 00000000:00000000 00:00000000 00000000    33        0 13 1 0000000000000000 20
   3: 0B4D630A:D0CC 154D630A:2009 06 00000000:00000000 03:00000A3C 00000000     0        0 0 3 0000000000000000
   4: 0100007F:1FA5 0100007F:D0CE 01 00000000:00000000 00:00000000 00000000     0        0 14 1 0000000000000000 20
cut
"""
MAPPED = """\
heading
   0: 0000000000000000FFFF00000B4D630A:D0D0 0000000000000000FFFF0000154D630A:2009 01 0:0 00:0 0 33 0 15 1 0 20
   1: B80D0120000000000000000001000000:D0D2 B80D0120000000000000000015000000:1FA5 01 0:0 00:0 0 33 0 16 1 0 20
"""
UPSTREAMS = {"blue": ("10.99.77.21:8101", "[2001:db8::15]:8101"), "green": ("10.99.77.21:8201",)}


def test_a_table_is_read():
    first, second, *_others = sockets.parse_table(TCP)
    assert first == Socket("10.99.77.11:443", "0.0.0.0:0", 10)
    assert second == Socket("10.99.77.11:53448", "10.99.77.21:8101", sockets.ESTABLISHED)
    assert len(list(sockets.parse_table(TCP))) == 5


def test_an_empty_table_is_empty():
    assert list(sockets.parse_table("")) == []


def test_ipv6_and_mapped_addresses():
    assert [one.peer for one in sockets.parse_table(MAPPED)] == ["10.99.77.21:8201", "[2001:db8::15]:8101"]


def test_live_connections_are_the_established_ones_towards_an_upstream():
    found = sockets.live([*sockets.parse_table(TCP), *sockets.parse_table(MAPPED)], UPSTREAMS)
    assert found == {
        "blue": {"10.99.77.21:8101": 2, "[2001:db8::15]:8101": 1},
        "green": {"10.99.77.21:8201": 1},
    }
    assert sockets.totals(found) == {"blue": 3, "green": 1}
    assert sockets.percentages(sockets.totals(found)) == {"blue": 75.0, "green": 25.0}


def test_no_socket_has_no_share():
    assert sockets.percentages({"blue": 0, "green": 0}) is None
