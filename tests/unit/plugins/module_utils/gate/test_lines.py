# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.lines import tally
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_text import Place, render
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import SITE

BLUE, BLUE2, GREEN, GREEN2 = "10.0.0.21:8101", "10.0.0.22:8101", "10.0.0.21:8201", "10.0.0.22:8201"
UPSTREAMS = {"blue": (BLUE, BLUE2), "green": (GREEN, GREEN2)}
USUAL = {
    "client": "10.0.0.9",
    "method": "GET",
    "uri": "/api/items/",
    "protocol": "HTTP/2.0",
    "status": "200",
    "colour": "green",
    "class": "c07",
    "pool": "mobile-sync_green_guarded",
    "upstream": GREEN,
    "ustatus": "200",
    "utime": "0.011",
    "uconnect": "0.000",
    "ws": "",
    "tester": "",
}


def line(seconds=0.012, **changed):
    """A line as nginx writes it."""
    fields = json.dumps({**USUAL, **changed}, separators=(",", ":"))[1:]
    return f'{{"t":1764000000.123,"rt":{seconds:.3f},"bytes":512,{fields}\n'.encode()


def green(*lines):
    counted = tally([b"".join(lines)], UPSTREAMS)
    assert counted.unreadable == 0
    return counted.colours["green"]


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({}, {"requests": 1}),
        ({"status": "404", "ustatus": "404"}, {"requests": 1}),
        ({"status": "500", "ustatus": "500"}, {"requests": 1, "errors": 1}),
        ({"status": "499", "ustatus": "-"}, {"requests": 1}),  # the client left
        ({"status": "504", "ustatus": "504"}, {"requests": 1, "errors": 1}),
        # one instance is dead, and the other one of the same colour answers: the client is well, green is not
        ({"upstream": f"{GREEN}, {GREEN2}", "ustatus": "502, 200"}, {"requests": 1, "errors": 1}),
        # green is dead, and blue answers for it
        (
            {"upstream": f"{GREEN}, {GREEN2}, {BLUE}", "ustatus": "502, 502, 200"},
            {"requests": 1, "errors": 1, "taken_over": 1},
        ),
        # green has been dead for a while, and is not even tried
        ({"upstream": BLUE2}, {"requests": 1, "errors": 1, "taken_over": 1}),
        ({"upstream": "mobile-sync_green", "status": "502", "ustatus": "502"}, {"requests": 1, "errors": 1}),
        ({"upstream": f"{GREEN} : {GREEN}", "ustatus": "200 : 200"}, {"requests": 1}),  # an internal redirect
        ({"tester": "green", "status": "500"}, {}),
        ({"tester": "class"}, {}),
        ({"upstream": "", "status": "301"}, {}),  # answered by the proxy itself
        ({"colour": "none", "status": "503", "upstream": ""}, {}),
        ({"colour": "", "status": "400", "upstream": ""}, {}),
        ({"ws": "websocket", "status": "403", "ustatus": "403"}, {"refused": 1}),
        ({"ws": "websocket", "status": "502", "ustatus": "502"}, {"refused": 1}),
    ],
)
def test_what_a_line_counts_as(fields, counts):
    found = green(line(**fields))
    latencies = {12: 1} if counts.get("requests") else {}
    assert found == Figures(**counts, latencies=latencies)


def test_websockets_are_counted_when_they_end():
    lasted, short = {"ws": "websocket", "status": "101", "ustatus": "101"}, 4.0
    assert green(line(300.0, **lasted)) == Figures(ended=1)
    assert green(line(short, **lasted)) == Figures(ended=1, cut_short=1)
    assert green(line(300.0, **{**lasted, "upstream": f"{GREEN}, {BLUE}", "ustatus": "502, 101"})) == Figures(refused=1)


def test_who_was_meant_counts_and_the_other_colour_gets_no_credit():
    chunk = line(upstream=BLUE) + line(colour="blue", upstream=BLUE) * 3
    counted = tally([chunk], UPSTREAMS).colours
    assert (counted["blue"].requests, counted["green"].requests, counted["green"].taken_over) == (3, 1, 1)


@pytest.mark.parametrize(
    "uri",
    [
        '/","status":"500","colour":"green","class":"c00","pool":"x","upstream":"10.0.0.21:8101","x":"',
        '/\\","tester":"green"}',
        "/\u00e9\u4e2d",
    ],
)
def test_a_client_cannot_write_fields(uri):
    """What stands in a request is escaped by nginx, as by json.dumps."""
    assert green(line(uri=uri)) == Figures(requests=1, latencies={12: 1})


def test_lines_of_others_are_counted_as_unreadable_and_ours_among_them_are_read():
    wider = json.dumps({**USUAL, "t": 1, "rt": 0.012, "bytes": 5, "further": "x"}).encode() + b"\n"
    counted = tally([line() + b"not ours\n" + b'{"a": 1}\n' + b"[1]\n" + wider], UPSTREAMS)
    assert (counted.colours["green"].requests, counted.unreadable) == (2, 3)


def test_equal_lines_are_all_counted():
    assert green(*[line(0.02)] * 500, *[line(0.03, status="500")] * 7).errors == 7
    assert tally([line(), line(colour="blue", upstream=BLUE)], UPSTREAMS).colours["blue"].requests == 1


def test_the_log_that_the_proxy_writes_is_the_one_that_is_read():
    place = Place((1, 22, 1), "/current", "/cert", "/key", "/log", "/extra")
    text = render(SITE, place).text
    parts = re.search(r"log_format \S+ escape=json\n(.*?);\n", text, re.DOTALL)[1]
    written = "".join(re.findall(r"'(.*)'", parts))
    values = {
        **{f"$gl_mobile_sync_{name}": USUAL[name] for name in ("colour", "class", "pool", "tester")},
        "$gl_mobile_sync_upgrade": "",
        "$msec": "1764000000.123",
        "$request_time": "0.012",
        "$bytes_sent": "512",
        "$status": "500",
        "$upstream_addr": GREEN,
        "$upstream_status": "500",
    }
    for name in sorted(values, key=len, reverse=True):
        written = written.replace(name, values[name])
    assert green(f"{written}\n".encode()) == Figures(requests=1, errors=1, latencies={12: 1})
