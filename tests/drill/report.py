# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the drill leaves: a table, ``.lab/drill.json``, and ``docs/drill.md`` once every cell was played."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.drill.cells import Cell
from tests.drill.judge import Facts
from tests.drill.scene import RATE, SOCKETS
from tools.places import LAB, ROOT

FIGURES = LAB / "drill.json"
PAGE = ROOT / "docs" / "drill.md"
LONGEST_WHY = 300

Row = dict[str, Any]

PAGE_TEXT = """\
# The drill

`./dev drill` breaks things on purpose while deployments run: {green} of {cells} cells end as they should. There are two
proxies, two application hosts, {rate:.0f} requests a second and {sockets} WebSockets with an item a second each; every
request and every item has an id, and no client tries again unseen. `./dev drill NAME` plays one cell again,
`./dev drill --list` names them. The command writes this page, from the last run of each cell.

An item is lost when it was acknowledged and is not stored, or was never answered. A request that was answered by an
error is a failed request; its item is not counted a second time.

| Fault | Phase | As it should | Exit | Failed requests | Items lost, doubled | Serves then | Lock | Seconds | Why |
|---|---|---|---|---|---|---|---|---|---|
{table}

Measured on {machine}.
"""


def row(cell: Cell, facts: Facts, complaints: Sequence[str]) -> Row:
    """A cell as ``.lab/drill.json`` has it."""
    return {
        "fault": cell.fault,
        "phase": cell.phase,
        "ok": not complaints,
        "requests": facts.requests,
        "failed_requests": facts.failed,
        "items_lost": facts.items_lost,
        "items_doubled": facts.items_doubled,
        "serving_before": facts.before,
        "serving_after": facts.after,
        "exit_status": facts.status,
        "lock": ", ".join(sorted(set(facts.locks.values()))),
        "seconds": round(facts.seconds, 1),
        "why": shortened("; ".join([*complaints, *facts.notes, facts.reason])),
    }


def shortened(text: str) -> str:
    """One line that fits into a table."""
    line = " ".join(text.split()).strip("; ")
    return line if len(line) <= LONGEST_WHY else line[: LONGEST_WHY - 3] + "..."


def line(one: Mapping[str, Any]) -> str:
    """A cell on the screen."""
    mark = "ok    " if one["ok"] else "FAILED"
    hurt = (
        f"{one['failed_requests']}/{one['requests']} failed, {one['items_lost']} lost, {one['items_doubled']} doubled"
    )
    head = f"  {mark} {one['fault']:<22} {one['phase']:<9} {one['seconds']:5.1f} s  {hurt:<42}"
    return f"{head} {one['serving_after']}\n         {one['why']}"


def save(rows: Iterable[Row], order: Sequence[Cell]) -> list[Row]:
    """Put the rows into the figures, in the place of what the same cells said before; all of them in order."""
    known = json.loads(FIGURES.read_text())["cells"] if FIGURES.exists() else []
    found = {(one["fault"], one["phase"]): one for one in [*known, *rows]}
    kept = [found[cell.fault, cell.phase] for cell in order if (cell.fault, cell.phase) in found]
    FIGURES.write_text(json.dumps({"cells": kept}, indent=1) + "\n")
    return kept


def page(rows: Sequence[Mapping[str, Any]], machine: str, path: Path = PAGE) -> None:
    """Write the table of the documentation."""
    green = sum(bool(one["ok"]) for one in rows)
    table = [
        f"| {one['fault']} | {one['phase']} | {'yes' if one['ok'] else '**no**'} | {one['exit_status']} "
        f"| {one['failed_requests']} of {one['requests']} | {one['items_lost']}, {one['items_doubled']} "
        f"| {one['serving_after']} | {one['lock']} | {one['seconds']:.0f} | {one['why'].replace('|', '/')} |"
        for one in rows
    ]
    text = PAGE_TEXT.format(
        green=green, cells=len(rows), rate=RATE, sockets=SOCKETS, table="\n".join(table), machine=machine
    )
    path.write_text(text)
