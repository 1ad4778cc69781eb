# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Limits, Seen, Side, judge
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.report import live_line, window_report

GREEN = Side("green", Figures(requests=1230, latencies={12: 1230}), 30)
BLUE = Side("blue", Figures(requests=11100, errors=22, latencies={11: 11100}), 270)
SEEN = Seen(30.0, GREEN, BLUE)


def test_the_live_line():
    assert live_line(10, 30.2, 300, SEEN, "good so far") == (
        "green 10 %   30 s of 300 s   green 41 req/s 0.0 % errors p95 12 ms 30 sockets   "
        "blue 370 req/s 0.2 % errors p95 11 ms 270 sockets   good so far"
    )


def test_without_clients_and_without_another_colour():
    probes = Figures(requests=50, errors=1, refused=2)
    assert live_line(100, 8, 0, Seen(0.0, Side("blue"), probes=probes), "no window yet") == (
        "blue 100 %   8 s of 0 s   blue 0 req/s 0.0 % errors 0 sockets   52 probes, 3 failed   no window yet"
    )


def test_a_window_in_the_result():
    report = window_report(120.04, SEEN, judge(SEEN, Limits()))
    assert (report["at"], report["seconds"], report["outcome"]) == (120.0, 30.0, "good")
    assert report["colours"]["blue"]["error_ratio"] == 0.2
    assert report["colours"]["green"]["sockets"] == 30
    errors = report["metrics"][0]
    assert (errors["name"], errors["outcome"], errors["value"], errors["limit"]) == ("errors", "good", 0.0, 0.8964)
