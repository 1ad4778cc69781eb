# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``./dev bench``: the same deployment by this collection and by other ways, side by side under the same clients."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from tests.bench import report, ways
from tests.bench.measure import Figures, measure
from tests.bench.sampling import measure_sampling
from tests.stage import hosts, machine
from tests.stage.project import DOMAIN, Project
from tools import demo_project, environment, example, wheels
from tools.console import Trouble, say, step, warn
from tools.places import ROOT

RATE, SOCKETS = 200.0, 500
SHORT_RATE, SHORT_SOCKETS = 50.0, 50
LOSSES = ("failed requests", "refused WebSocket handshakes", "items lost", "items doubled")

PROJECT = Project(
    "bench",
    proxies=("gl-edge",),
    apps=("gl-app1", "gl-app2"),
    description={"greenlight_environment": {"DJANGO_ALLOWED_HOSTS": DOMAIN, "MOBILE_SYNC_FAULT": ways.FAULT}},
)


WAYS: dict[str, Callable[[Project], ways.Way]] = {
    "ours": ways.Ours,
    "restart": ways.Restart,
    "reload": ways.BlueGreen,
    "link": ways.Link,
}


def prepare() -> None:
    """Hosts, the project, the first version; on fresh hosts where that cannot be done any more."""
    environment.ensure()
    hosts.ready(PROJECT)
    PROJECT.scaffold()
    try:
        ways.Ours(PROJECT).begin()
    except Trouble as trouble:
        warn(f"{trouble}\nOnce more on fresh hosts:")
        hosts.fresh(PROJECT)
        ways.Ours(PROJECT).begin()


def application_environment() -> dict[str, str]:
    """The environment of the application, for the ways that do not know our description."""
    secrets = demo_project.variables(example.ensure("mobile_sync"), ways.FIRST)["project_secrets"]
    plain = PROJECT.description["greenlight_environment"]
    return {**wheels.INSTALLER, **plain, **(secrets if isinstance(secrets, dict) else {})}


def choose(names: Sequence[str]) -> list[str]:
    """These ways, or all."""
    unknown = [name for name in names if name not in WAYS]
    if unknown:
        raise Trouble(f"There is no way {', '.join(unknown)}.", f"There are: {', '.join(WAYS)}.")
    return list(names or WAYS)


def compare(names: Sequence[str], count: int) -> dict[str, list[Figures]]:
    """Ways in turn, ``count`` times."""
    measured: dict[str, list[Figures]] = {}
    with ways.repositories():
        with step("what the other ways need"):
            ways.prepare_others(PROJECT, application_environment())
        for number in range(1, count + 1):
            for way in (WAYS[name](PROJECT) for name in names):
                with step(f"{way.label}, {number} of {count}"):
                    measured.setdefault(way.label, []).append(measure(way, PROJECT, RATE, SOCKETS))
    return measured


def losses(figures: Figures) -> list[str]:
    """What ours must never do, in a deployment or on the way back."""
    return [
        f"{name}: {value:g}"
        for name, value in figures.items()
        if value and name.startswith(("deploy:", "rollback:")) and name.endswith(LOSSES)
    ]


def main(argv: Sequence[str]) -> int:
    """Measure; 0 if ours failed, lost and doubled nothing."""
    parser = argparse.ArgumentParser("./dev bench", description="Measure deployments beside other ways to deploy.")
    parser.add_argument("way", nargs="*", help=f"of {', '.join(WAYS)}; only all of them write the page (all)")
    parser.add_argument("--short", action="store_true", help="ours alone, under few clients: does it lose anything?")
    parser.add_argument("--runs", type=int, default=1, help="how often each way is measured; medians count (1)")
    options = parser.parse_args(argv)
    prepare()
    if options.short:
        ours = measure(ways.Ours(PROJECT), PROJECT, SHORT_RATE, SHORT_SOCKETS, bad=False)
        measured = {report.OURS: [ours]}
    else:
        measured = compare(choose(options.way), options.runs)
        if set(measured) == {make(PROJECT).label for make in WAYS.values()}:
            keep(measured, options.runs)
    say(report.table(measured))
    found = [problem for figures in measured.get(report.OURS, []) for problem in losses(figures)]
    if found:
        raise Trouble("Greenlight was not clean:\n  " + "\n  ".join(found), f"Look into {ROOT / '.lab/logs'}.")
    return 0


def keep(measured: dict[str, list[Figures]], runs: int) -> None:
    """Write figures and page, with what the gate costs the proxy."""
    sampled = measure_sampling(PROJECT)
    for figures in measured[report.OURS]:
        figures.update(sampled)
    report.save(report.rows(measured))
    report.page(
        measured,
        rate=RATE,
        sockets=SOCKETS,
        runs="Each way was measured once" if runs == 1 else f"Medians of {runs} runs",
        profile=profile(),
        machine=machine.facts(),
    )


def profile() -> str:
    """What the lab's project says about shares and windows."""
    described = {**demo_project.DESCRIPTION, **PROJECT.description}
    traffic, gate = described["greenlight_traffic"], described["greenlight_gate"]
    return (
        f"each share is watched for {traffic['pause']} s, in windows of {gate['window']} s every {gate['interval']} s"
        if isinstance(traffic, dict) and isinstance(gate, dict)
        else ""
    )
