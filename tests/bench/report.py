# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmark leaves: a table on the screen, ``.lab/bench.json``, after a whole run ``docs/benchmark.md``."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.measure import Figures
from tools.places import LAB, ROOT

FIGURES = LAB / "bench.json"
PAGE = ROOT / "docs" / "benchmark.md"
OURS = "Greenlight"

Runs = Mapping[str, Sequence[Figures]]
Row = dict[str, Any]

PAGE_TEXT = """\
# The benchmark

`./dev bench` deploys the same application on the same hosts, under the same clients, one way after the other, and
counts what the clients met. There are one proxy and two application hosts, {rate:.0f} requests a second and
{sockets} WebSockets with an item a second each. No client tries a request again; a client whose WebSocket was closed or
refused comes back soon, and each refusal is counted; an item that was not acknowledged is sent again on the next
connection, and is lost when it was not answered. What a command did is counted until every client is back. {runs}.

| Way | What it does |
|---|---|
| Greenlight | `site.yml`, `rollback.yml --tags traffic`; shares of 10, 50, 100 %, each watched for some seconds |
| runbook, restart in place | fetch, install, migrate, `systemctl restart`, host after host, as a shell script |
| runbook, blue-green by reload | the same beside the old version; weights of 10, 50, 100 % in nginx, each by a reload |
| link and restart, as Ansistrano documents it | a playbook of ours with its documented steps: export, link, restart |

The other ways are helped where nothing of them would work else: their units do not wait for a notification that Daphne
never sends, their migrations have been applied before, a restart is awaited, and the operator sees a bad release in the
moment in which its deployment ends and goes back at once. The bad release answers 500 to everything but the probes,
from its first client on, so that no smoke test sees it. What it hurts depends on how long shares are watched and on the
gate's windows: here {profile}.

{table}

A dash: it was not measured, or does not exist there.

Measured on {machine}. The command writes this page.
"""


def medians(runs: Sequence[Figures]) -> Figures:
    """The median of each figure over the runs."""
    return {name: statistics.median(one[name] for one in runs if name in one) for name in runs[0]}


def rows(measured: Runs) -> list[Row]:
    """The figures as ``.lab/bench.json`` has them: ours beside each other way."""
    ours = medians(measured[OURS])
    found = []
    for way, runs in measured.items():
        theirs = medians(runs) if way != OURS else {}
        found += [
            pair(name, ours[name], theirs.get(name), way, len(runs)) for name in ours if name in theirs or way == OURS
        ]
    return [row for row in found if row["other_name"] or not compared(row["name"], found)]


def compared(name: str, found: Sequence[Row]) -> bool:
    """Whether a figure stands beside that of another way."""
    return any(row["name"] == name and row["other_name"] for row in found)


def pair(name: str, ours: float, other: float | None, way: str, runs: int) -> Row:
    """One figure of ours, beside another one where there is one; ``ratio`` is other to ours."""
    return {
        "name": name,
        "ours": ours,
        "other": other,
        "other_name": way if other is not None else "",
        "ratio": round(other / ours, 2) if other is not None and ours else None,
        "unit": name.rpartition(", ")[2] if name.endswith((", s", ", %")) else "",
        "runs": runs,
    }


def save(fresh: Sequence[Row], path: Path = FIGURES) -> None:
    """Put the figures into the file, in the place of those of the same name and the same other way."""
    known = json.loads(path.read_text())["figures"] if path.exists() else []
    found = {(row["name"], row["other_name"]): row for row in [*known, *fresh]}
    path.write_text(json.dumps({"figures": list(found.values())}, indent=1) + "\n")


def table(measured: Runs) -> str:
    """All ways beside each other, as Markdown."""
    shown = {way: medians(runs) for way, runs in measured.items()}
    names = list(dict.fromkeys(name for figures in shown.values() for name in figures))
    lines = [f"| | {' | '.join(shown)} |", f"|---|{'---:|' * len(shown)}"]
    lines += [f"| {name} | {' | '.join(text(figures.get(name)) for figures in shown.values())} |" for name in names]
    return "\n".join(lines)


def text(value: float | None) -> str:
    """A figure as people write it."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value == int(value) else f"{value:g}"


def page(measured: Runs, path: Path = PAGE, **facts: Any) -> None:
    """Write the page of the documentation."""
    path.write_text(PAGE_TEXT.format(table=table(measured), **facts))
