# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from xml.etree import ElementTree as ET

from tools.demo_picture import CHART_HEIGHT, PAINT, area, picture

SHARE = [
    {"second": 0, "answers": {"blue": 200}, "sockets": {}},
    {"second": 1, "answers": {"green": 200}, "sockets": {}},
]
FIGURES = {
    "requests": 4000, "failed": 0, "items_acked": 90, "items_lost": 0, "items_doubled": 0, "reconnects": 3,
    "away_max_s": 0.25, "share": SHARE,
}  # fmt: skip


def test_each_act_is_told_with_its_figures():
    document = ET.fromstring(picture([("deploy <v2>", "v2", 61, FIGURES), ("roll back", "v1", 9, FIGURES)]))
    said = [element.text for element in document.iter("{http://www.w3.org/2000/svg}text")]
    assert {"1. deploy <v2>", "2. roll back", "v2 serves after 1:01"} <= set(said)
    assert "4,000 requests, 0 failed; 90 items, 0 lost, 0 doubled; 3 reconnects, away 0.25 s at most" in said


def test_what_was_lost_is_red():
    assert 'class="bad">4,000 requests, 1 failed' in picture([("act", "v1", 1, {**FIGURES, "failed": 1})])
    assert 'class="bad"' not in picture([("act", "v1", 1, FIGURES)])


def test_green_stands_on_the_ground_and_blue_on_green():
    green, blue = area(0, 0, [{"blue": 1, "green": 3}]).splitlines()
    assert (PAINT["green"] in green, f'y="{CHART_HEIGHT / 4:.1f}"' in green) == (True, True)
    assert (PAINT["blue"] in blue, 'y="0.0"' in blue) == (True, True)
    assert area(0, 0, [{}]) == ""
