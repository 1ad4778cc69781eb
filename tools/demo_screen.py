# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the demo shows: one line while a playbook runs, one framed summary an act. Text in, text out; prints nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 80
CHART_WIDTH = 30
CHART_HEIGHT = 5
COLOURS = ("blue", "green")

Figures = Mapping[str, Any]
Shares = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Style:
    """How much the terminal can show: box and block characters, and colours."""

    fancy: bool
    coloured: bool

    @property
    def box(self) -> tuple[str, ...]:
        """Top left, top right, bottom left, bottom right, horizontal, vertical."""
        return tuple("╭╮╰╯─│" if self.fancy else "++++-|")

    @property
    def fill(self) -> dict[str, str]:
        """The character of each colour in a chart."""
        return {"blue": "░", "green": "█"} if self.fancy else {"blue": ".", "green": "#"}

    @property
    def arrow(self) -> str:
        """Between before and after."""
        return "→" if self.fancy else "->"

    @property
    def dot(self) -> str:
        """Between figures."""
        return "·" if self.fancy else "-"

    def paint(self, text: str, name: str) -> str:
        """``text`` in a colour, or as it is where there are none."""
        codes = {"blue": "34", "green": "32", "red": "31;1", "bold": "1", "dim": "2"}
        return f"\033[{codes[name]}m{text}\033[0m" if self.coloured and text else text


def style(encoding: str | None, *, is_terminal: bool, environment: Mapping[str, str]) -> Style:
    """What to use for an output of this encoding."""
    fancy = (encoding or "").lower().replace("-", "").startswith("utf")
    plain = "NO_COLOR" in environment or environment.get("TERM") == "dumb"
    return Style(fancy, is_terminal and not plain)


def minutes(seconds: float) -> str:
    """Seconds as ``1:05``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def duration(seconds: float) -> str:
    """Seconds as a person reads them: ``3 ms``, ``0.25 s``, ``12.0 s``."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"


def progress(act: str, seconds: float, task: str, now: Figures | None, columns: int) -> str:
    """The one live line: what is played, what the clients see; cut to ``columns``."""
    parts = [f"  {minutes(seconds)}  {act}".rstrip()]
    if now is not None:
        sockets = " ".join(f"{colour} {count}" for colour, count in sorted(now["sockets"].items()))
        parts.append(f"{now['requests']:,} requests, {now['failed']} failed")
        parts.append(f"sockets {sockets or 'none'}")
    parts.append(task)
    line = "  |  ".join(part for part in parts if part)
    return line if len(line) <= columns else line[: max(0, columns - 3)] + "..."


def resample(rows: Shares, columns: int) -> list[dict[str, float]]:
    """Shares in percent for exactly ``columns`` columns (fewer rows are stretched); empty where nobody answered."""
    if not rows:
        return []
    result = []
    for column in range(columns):
        first = column * len(rows) // columns
        last = max(first + 1, (column + 1) * len(rows) // columns)
        sums = {colour: sum(row.get(colour, 0) for row in rows[first:last]) for colour in COLOURS}
        whole = sum(sums.values())
        result.append({colour: 100 * count / whole for colour, count in sums.items()} if whole else {})
    return result


def chart(rows: Shares, look: Style, width: int = CHART_WIDTH, height: int = CHART_HEIGHT) -> list[str]:
    """``height`` lines, the top one first: green grows from below, blue is the rest, a gap is nobody."""
    columns = resample(rows, width)
    lines = []
    for level in range(height, 0, -1):
        line = ""
        for column in columns:
            if not column:
                line += " "
                continue
            # A colour with any share at all is seen: the lowest line is green as soon as green answers.
            green = column["green"] * height / 100
            name = "green" if green >= level - 0.5 or (level == 1 and green > 0) else "blue"
            line += look.paint(look.fill[name], name)
        lines.append(line + " " * (width - len(columns)))
    return lines


def charts(figures: Figures, look: Style) -> list[str]:
    """Share of the answers and of the open sockets over time, side by side, with their scale below."""
    share = figures["share"]
    if not share:
        return []
    left = chart([row["answers"] for row in share], look)
    right = chart([row["sockets"] for row in share], look)
    scale = ["100 %", *[""] * (CHART_HEIGHT - 2), "  0 %"]
    end = f"{share[-1]['second']} s"
    axis = "0 s" + end.rjust(CHART_WIDTH - 3)
    legend = f"{look.paint(look.fill['blue'], 'blue')} blue  {look.paint(look.fill['green'], 'green')} green"
    return [
        f"{'':7}{'answers':<{CHART_WIDTH + 5}}{'open sockets':<18}{legend}",
        *(f"{mark:>5}  {one}     {two}" for mark, one, two in zip(scale, left, right, strict=True)),
        f"{'':7}{axis}     {axis}",
    ]


def rows(figures: Figures, look: Style) -> list[str]:
    """The figures of one act: requests, items, reconnects."""
    latency, ack = figures["latency_s"], figures["ack_latency_s"]
    bad = {name: _alarm(figures[name], look) for name in ("failed", "items_lost", "items_doubled")}
    times = f"p50 {duration(latency['p50'])}  p99 {duration(latency['p99'])}  max {duration(latency['max'])}"
    lost = f"{bad['items_lost']} lost   {bad['items_doubled']} doubled   p99 {duration(ack['p99'])}"
    lines = [
        f"requests    {figures['requests']:>8,}      {bad['failed']} failed      {times}",
        f"items       {figures['items_sent']:>8,} sent {figures['items_acked']:>8,} acked   {lost}",
        f"reconnects  {figures['reconnects']:>8,}      {_away(figures)}",
    ]
    if figures["close_codes"]:
        lines.append(f"closed with {_counted(figures['close_codes'])}")
    if figures["failed"]:
        lines.append(look.paint(f"failures    {_counted(figures['failures'])}", "red"))
    return [line.rstrip() for line in lines]


def _away(figures: Figures) -> str:
    """How long the clients that were closed were away."""
    p50, p99, longest = (duration(figures[f"away_{name}_s"]) for name in ("p50", "p99", "max"))
    return f"away p50 {p50}  p99 {p99}  max {longest}" if figures["reconnects"] else ""


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} x {count}" for name, count in sorted(counts.items()))


def _alarm(count: int, look: Style) -> str:
    return look.paint(f"{count:,}", "red") if count else "0"


def frame(title: str, right: str, lines: Sequence[str], look: Style, *, good: bool = True) -> str:
    """Lines in a box of :data:`WIDTH` columns with a title at its left and a remark at its right."""
    top_left, top_right, bottom_left, bottom_right, bar, side = look.box
    inner = WIDTH - 4
    gap = bar * max(1, WIDTH - 6 - len(title) - len(right) - 2)
    tone = "green" if good else "red"
    head = f"{top_left}{bar} {look.paint(title, 'bold')} {gap} {look.paint(right, tone)} {bar}{top_right}"
    body = [f"{side} {line}{' ' * max(0, inner - visible(line))} {side}" for line in lines]
    return "\n".join([head, *body, bottom_left + bar * (WIDTH - 2) + bottom_right])


def visible(text: str) -> int:
    """How many columns a text takes, without its colour codes."""
    length = 0
    escaped = False
    for letter in text:
        if letter == "\033":
            escaped = True
        elif not escaped:
            length += 1
        elif letter == "m":
            escaped = False
    return length
