# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``./dev drill``: faults on purpose, in each phase of a deployment, under clients that count what they lose."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, cast

from tests.drill import report
from tests.drill.cells import CELLS, Cell
from tests.drill.judge import Facts, judge
from tests.drill.scene import Scene, prepare
from tests.stage import hosts, machine
from tests.stage.project import Project
from tools import environment
from tools.console import Trouble, say, warn
from tools.demo_project import DOMAIN, SMOKE
from tools.places import LOGS, ROOT

CHECKS = cast("list[dict[str, Any]]", SMOKE)
PROJECT = Project(
    "drill",
    proxies=("gl-edge", "gl-edge2"),
    apps=("gl-app1", "gl-app2"),
    description={
        "greenlight_environment": {"DJANGO_ALLOWED_HOSTS": DOMAIN},
        "greenlight_traffic": {"steps": [10, 50, 100], "pause": 6, "return_after": 15},
        "greenlight_gate": {
            "interval": 1, "window": 3, "warm_up": 1, "failures": 2, "of": 3, "minimum_requests": 8,
            "minimum_sockets": 2, "decision_timeout": 5,
        },
        "greenlight_lock": {"lease": 20, "heartbeat": 5, "wait": 10},
        "greenlight_soak_skipped": "a drill",
        "greenlight_waves": ["100%"],
        "greenlight_drain": {
            "contract": True,
            "over": 2,
            "deadline": 15,
        },
        "greenlight_steady": 1,
        "greenlight_smoke": [{name: value for name, value in check.items() if name != "idle"} for check in CHECKS],
    },
)  # fmt: skip


def choose(names: Sequence[str], *, short: bool) -> list[Cell]:
    """The cells of these names, the short slice, or all."""
    known = {cell.name: cell for cell in CELLS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Trouble(f"There is no cell {', '.join(unknown)}.", f"There are: {', '.join(known)}.")
    if names:
        return [known[name] for name in names]
    return [cell for cell in CELLS if cell.short or not short]


def ready() -> None:
    """Bring the first version back to every client; on fresh hosts where that cannot be done any more."""
    try:
        prepare(PROJECT)
    except Trouble as trouble:
        warn(f"{trouble}\nOnce more on fresh hosts:")
        hosts.fresh(PROJECT)
        prepare(PROJECT)


def play(cell: Cell) -> report.Row:
    """Play one cell from its prepared state to its verdict."""
    ready()
    started = time.monotonic()
    facts = Facts()
    with ExitStack() as stack:
        scene = Scene(PROJECT, cell.name, stack, clients=cell.clients)
        facts = scene.facts
        try:
            scene.open()
            cell.act(scene)
            scene.close()
        except Trouble as trouble:
            scene.miss(str(trouble))
    facts.seconds = time.monotonic() - started
    return report.row(cell, facts, judge(cell.expect, facts))


def attempt(cell: Cell) -> report.Row:
    """Play a cell; one that cannot even be prepared has failed."""
    try:
        return play(cell)
    except Trouble as trouble:
        return report.row(cell, Facts(), [str(trouble)])


def main(argv: Sequence[str]) -> int:
    """Play cells; 0 if all of them ended as they should."""
    parser = argparse.ArgumentParser("./dev drill", description="Break things on purpose while deployments run.")
    parser.add_argument("cell", nargs="*", help="these only (all)")
    parser.add_argument("--short", action="store_true", help="the slice that ./dev test plays")
    parser.add_argument("--list", action="store_true", help="name the cells")
    options = parser.parse_args(argv)
    if options.list:
        say("\n".join(f"{cell.name}{'  (short)' if cell.short else ''}" for cell in CELLS))
        return 0
    cells = choose(options.cell, short=options.short)
    environment.ensure()
    hosts.ready(PROJECT)
    PROJECT.scaffold()
    rows = []
    for cell in cells:
        rows.append(attempt(cell))
        say(report.line(rows[-1]))
        everything = report.save(rows[-1:], CELLS)
    if len(everything) == len(CELLS):
        report.page(everything, machine.facts())
    failed = sum(not one["ok"] for one in rows)
    say(f"{len(rows) - failed} as they should, {failed} not. Figures: {report.FIGURES.relative_to(ROOT)}, "
        f"logs: {LOGS.relative_to(ROOT)}/drill-*.log")  # fmt: skip
    return 1 if failed else 0
