# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tools.demo_screen import Style, chart, charts, duration, frame, minutes, progress, resample, rows, style, visible

PLAIN = Style(fancy=False, coloured=False)
RICH = Style(fancy=True, coloured=True)
TIMES = {"p50": 0.004, "p95": 0.01, "p99": 0.25, "max": 12.0}
FIGURES = {
    "requests": 14812, "failed": 0, "failures": {}, "latency_s": TIMES, "ack_latency_s": TIMES,
    "items_sent": 22190, "items_acked": 22190, "items_lost": 0, "items_doubled": 0,
    "reconnects": 300, "close_codes": {"4012": 300}, "away_p50_s": 0.13, "away_p99_s": 0.25, "away_max_s": 0.31,
    "share": [
        {"second": 0, "answers": {"blue": 200}, "sockets": {"blue": 300}},
        {"second": 1, "answers": {"blue": 100, "green": 100}, "sockets": {"blue": 300}},
        {"second": 2, "answers": {}, "sockets": {"green": 300}},
        {"second": 3, "answers": {"green": 200}, "sockets": {"green": 300}},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "terminal", "environment", "fancy", "coloured"),
    [
        ("utf-8", True, {}, True, True),
        ("UTF8", False, {}, True, False),
        ("ascii", True, {"NO_COLOR": "1"}, False, False),
        (None, True, {"TERM": "dumb"}, False, False),
    ],
)
def test_what_the_terminal_can_show(encoding, terminal, environment, fancy, coloured):
    assert style(encoding, is_terminal=terminal, environment=environment) == Style(fancy, coloured)


def test_times_for_people():
    assert [minutes(65.9), duration(0.004), duration(0.25), duration(12)] == ["1:05", "4 ms", "0.25 s", "12.0 s"]


def test_the_live_line_fits_the_terminal():
    now = {"requests": 8412, "failed": 0, "sockets": {"green": 30, "blue": 270}}
    line = progress("deploy v2", 42, "Watch green at 10 %", now, 200)
    assert line == (
        "  0:42  deploy v2  |  8,412 requests, 0 failed  |  sockets blue 270 green 30  |  Watch green at 10 %"
    )
    assert len(progress("deploy v2", 42, "Watch", now, 40)) == 40
    assert progress("deploy v1", 3, "", None, 80) == "  0:03  deploy v1"


def test_seconds_are_gathered_or_stretched_to_columns():
    answers = [row["answers"] for row in FIGURES["share"]]
    assert resample(answers, 2) == [{"blue": 75.0, "green": 25.0}, {"blue": 0.0, "green": 100.0}]
    assert len(resample(answers, 8)) == 8
    assert resample([], 8) == []


def test_green_grows_from_below_and_nobody_is_a_gap():
    answers = [row["answers"] for row in FIGURES["share"]]
    assert chart(answers, PLAIN, width=4, height=4) == [".. #", ".. #", ".# #", ".# #"]


def test_a_small_share_is_seen():
    assert chart([{"blue": 99, "green": 1}], PLAIN, width=1, height=3) == [".", ".", "#"]


def test_charts_stand_side_by_side_with_their_scale():
    lines = charts(FIGURES, PLAIN)
    assert lines[0].split() == ["answers", "open", "sockets", ".", "blue", "#", "green"]
    assert lines[1].startswith("100 %")
    assert lines[-1].split() == ["0", "s", "3", "s", "0", "s", "3", "s"]
    assert charts({**FIGURES, "share": []}, PLAIN) == []


def test_rows_say_everything_that_is_counted():
    requests, items, reconnects, closed = rows(FIGURES, PLAIN)
    assert "14,812" in requests
    assert "0 failed" in requests
    assert items.split()[:10] == ["items", "22,190", "sent", "22,190", "acked", "0", "lost", "0", "doubled", "p99"]
    assert "away p50 0.13 s  p99 0.25 s  max 0.31 s" in reconnects
    assert closed == "closed with 4012 x 300"


def test_failures_are_named_by_kind():
    figures = {**FIGURES, "failed": 3, "failures": {"503": 2, "closed": 1}, "close_codes": {}, "reconnects": 0}
    lines = rows(figures, PLAIN)
    assert lines[-1] == "failures    503 x 2, closed x 1"
    assert lines[2].split() == ["reconnects", "0"]


@pytest.mark.parametrize("look", [PLAIN, RICH])
def test_every_line_of_a_frame_is_as_wide_as_the_frame(look):
    lines = [*rows(FIGURES, look), "", *charts(FIGURES, look)]
    framed = frame("Act 2: deploy v2.0.0-sync", "1:14", lines, look)
    assert {visible(line) for line in framed.splitlines()} == {80}


def test_colours_are_left_out_where_there_are_none():
    assert "\033" not in frame("Act", "ok", rows({**FIGURES, "failed": 1}, PLAIN), PLAIN, good=False)
    assert "\033[31;1m1\033[0m" in rows({**FIGURES, "failed": 1}, RICH)[0]
