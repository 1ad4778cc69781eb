# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo as a picture: an SVG with a row for each act. Figures in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from tools.demo_screen import COLOURS, duration, minutes, resample

WIDTH, ROW, LEFT, GAP = 860, 118, 20, 30
CHART_WIDTH, CHART_HEIGHT, COLUMNS = 395, 44, 100
PAINT = {"blue": "#3b7dd8", "green": "#2f9e44"}
STYLE = """\
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.small { font-size: 11px; fill: #57606a }
.bad { fill: #cf222e; font-weight: 600 }"""


def picture(acts: Sequence[tuple[str, str, float, Mapping[str, Any]]]) -> str:
    """Name, who serves afterwards, seconds and figures of each act as an SVG document."""
    height = ROW * len(acts) + 34
    rows = [row(number, *act, top=ROW * (number - 1) + 26) for number, act in enumerate(acts, 1)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
            f"<title>{escape('; '.join(name for name, *_rest in acts))}</title>",
            f"<style>\n{STYLE}\n</style>",
            f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>',
            *rows,
            "</svg>",
            "",
        ]
    )


def row(number: int, name: str, serving: str, seconds: float, figures: Mapping[str, Any], *, top: int) -> str:
    """One act: what it was, what its clients lost, and who answered them over time."""
    lost = {what: figures[key] for what, key in (("failed", "failed"), ("lost", "items_lost"))}
    counts = (
        f"{figures['requests']:,} requests, {lost['failed']} failed; {figures['items_acked']:,} items, "
        f"{lost['lost']} lost, {figures['items_doubled']} doubled"
    )
    away = f"; {figures['reconnects']} reconnects, away {duration(figures['away_max_s'])} at most"
    right = f"{serving} serves after {minutes(seconds)}"
    bad = "bad" if any((*lost.values(), figures["items_doubled"])) else "small"
    share, charts_top = figures["share"], top + 26
    second = LEFT + CHART_WIDTH + GAP
    return "\n".join(
        [
            text(LEFT, top, f"{number}. {name}", "title"),
            text(WIDTH - LEFT, top, right, "small", end=True),
            text(LEFT, top + 17, counts + (away if figures["reconnects"] else ""), bad),
            area(LEFT, charts_top, [one["answers"] for one in share]),
            area(second, charts_top, [one["sockets"] for one in share]),
            text(LEFT, charts_top + CHART_HEIGHT + 13, "who answers requests", "small"),
            text(second, charts_top + CHART_HEIGHT + 13, "who has the WebSockets", "small"),
        ]
    )


def area(left: float, top: float, rows: Sequence[Mapping[str, float]]) -> str:
    """Bars side by side: green grows from below, blue is the rest, a gap is nobody."""
    width = CHART_WIDTH / COLUMNS
    bars = []
    column = 0
    for shares, same in groupby(resample(rows, COLUMNS)):
        count = len(list(same))
        bottom = top + CHART_HEIGHT
        for colour in reversed(COLOURS):
            height = shares.get(colour, 0) * CHART_HEIGHT / 100
            bottom -= height
            if height:
                place = f'x="{left + column * width:.1f}" y="{bottom:.1f}" width="{count * width + 0.2:.1f}"'
                bars.append(f'<rect {place} height="{height:.1f}" fill="{PAINT[colour]}"/>')
        column += count
    return "\n".join(bars)


def text(left: float, top: float, words: str, kind: str, *, end: bool = False) -> str:
    """Words at a place; with ``end`` that is where they end."""
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{left}" y="{top}" class="{kind}"{anchor}>{escape(words)}</text>'
