# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``./dev demo``: four acts on four fresh hosts, under clients that count what they lose.

A first version is deployed, a second one, one that is broken, and then everybody is sent back. The clients go on
through all of it; the exit status is 0 only if nothing failed, was lost or doubled and each act ended as it should.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tools import demo_project, environment, image, keys, lab
from tools.console import Trouble, say, step
from tools.demo_picture import picture
from tools.demo_project import CA_FILE, DOMAIN, INVENTORY, PROJECT
from tools.demo_screen import WIDTH, Style, charts, frame, minutes, progress, rows, style
from tools.demo_traffic import Aim, Traffic
from tools.hosts import HOSTS, USUAL, find
from tools.places import COLLECTIONS, LAB, LOGS, ROOT
from tools.user import Playbook

FIGURES = LAB / "demo.json"
PICTURE = LAB / "demo.svg"
EDGE = HOSTS["gl-edge"]
HEALTH = "ansible_collections.greenlight.deploy.plugins.module_utils.health"
VOICES = 40
SETTLE_SECONDS = 1.0
FIRST_SECONDS = 2.0
TICK_SECONDS = 0.25
NOBODY = "nobody"


@dataclass(frozen=True)
class Act:
    """One command of the user and what must come of it. ``ref`` is written to the inventory before it."""

    name: str
    words: tuple[str, ...]
    serving: str
    ref: str = ""
    succeeds: bool = True

    @property
    def command(self) -> str:
        """What the user types."""
        return " ".join(["ansible-playbook", *self.words])


SITE = ("site.yml", "-i", INVENTORY)
ACTS = (
    Act("deploy v1.0.0 on bare hosts", SITE, "v1.0.0", "v1.0.0"),
    Act("deploy v2.0.0-sync", SITE, "v2.0.0-sync", "v2.0.0-sync"),
    Act("deploy v2.1.0, which is broken", SITE, "v2.0.0-sync", "v2.1.0", succeeds=False),
    Act("roll back", ("rollback.yml", "-i", INVENTORY, "--tags", "traffic"), "v1.0.0"),
)


@dataclass(frozen=True)
class Played:
    """How an act ended: the playbook's exit status and seconds, who served before and after."""

    act: Act
    status: int
    seconds: float
    before: str
    after: str

    @property
    def as_expected(self) -> bool:
        """Whether the exit status and the serving version are those that the act should have."""
        return (self.status == 0) == self.act.succeeds and version(self.after) == self.act.serving

    def complaint(self) -> str:
        """What is not as it should be."""
        wanted = "0" if self.act.succeeds else "not 0"
        return (
            f"{self.act.name}: exit status {self.status} (expected {wanted}), "
            f"serving {self.after} (expected {self.act.serving})"
        )


def version(serving: str) -> str:
    """The version in ``v1.0.0 (blue)``."""
    return serving.partition(" ")[0]


def serving() -> str:
    """Ask the proxy as many different clients would: ``v1.0.0 (blue)``, ``nobody``, or each with its share."""
    if str(COLLECTIONS) not in sys.path:
        sys.path.append(str(COLLECTIONS))
    endpoint = importlib.import_module(f"{HEALTH}.endpoint").Endpoint
    probe_many = importlib.import_module(f"{HEALTH}.http_client").probe_many
    callers = [
        endpoint(
            EDGE.address,
            443,
            tls=True,
            server_name=DOMAIN,
            ca_file=str(CA_FILE),
            headers=(("X-Device-Id", f"who-serves-{number}"),),
        )
        for number in range(VOICES)
    ]
    return count_voices(
        [answer.header("x-greenlight-served-by") for answer in probe_many([(c, "/health") for c in callers])]
    )


def count_voices(served_by: Sequence[str]) -> str:
    """Headers ``colour/release/version`` as one word of who serves; empty ones are no answer."""
    names = []
    for value in served_by:
        colour, _, rest = value.partition("/")
        names.append(f"{rest.rpartition('/')[2]} ({colour})" if rest else NOBODY)
    shares = {name: names.count(name) * 100 // len(names) for name in sorted(set(names))}
    if len(shares) == 1:
        return next(iter(shares))
    return "mixed: " + ", ".join(f"{name} {share} %" for name, share in shares.items())


def summary(number: int, played: Played, figures: dict[str, Any], look: Style) -> str:
    """The frame that an act ends with."""
    status = f"exit {played.status}" + ("" if played.act.succeeds or not played.as_expected else ", as it should")
    good = played.as_expected and not any(figures[name] for name in ("failed", "items_lost", "items_doubled"))
    lines = [
        f"{played.act.command}{status:>{WIDTH - 4 - len(played.act.command)}}",
        f"serving     {played.before} {look.arrow} {played.after}",
        "",
        *rows(figures, look),
        "",
        *charts(figures, look),
    ]
    return frame(f"Act {number}: {played.act.name}", minutes(played.seconds), lines, look, good=good)


def record(played: Sequence[Played], acts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What ``.lab/demo.json`` says."""
    counted = (
        "requests", "failed", "items_sent", "items_acked", "items_lost", "items_doubled", "reconnects",
        "away_p50_s", "away_p99_s", "away_max_s",
    )  # fmt: skip
    return {
        "acts": [
            {
                "name": one.act.name,
                "exit_status": one.status,
                **{name: figures[name] for name in counted},
                "seconds": round(one.seconds, 1),
                "serving_before": one.before,
                "serving_after": one.after,
            }
            for one, figures in zip(played, acts, strict=False)
        ]
    }


class Demo:
    """The stage: the terminal, the clients once there are some, what was played so far."""

    def __init__(self, rate: float, sockets: int) -> None:
        self._live = sys.stdout.isatty()
        self._look = style(sys.stdout.encoding, is_terminal=self._live, environment=os.environ)
        self._aim = Aim(DOMAIN, EDGE.address, CA_FILE, rate, sockets)
        self._traffic: Traffic | None = None
        self._task = ""
        self.played: list[Played] = []

    def play(self) -> list[str]:
        """All acts; what is wrong at the end, nothing if all is well."""
        first, *others = ACTS
        self._run(1, first)
        if not self.played[-1].as_expected:
            return [self.played[-1].complaint()]
        with Traffic(self._aim) as traffic:
            self._traffic = traffic
            self._watch_for(FIRST_SECONDS, "clients connect")
            for number, act in enumerate(others, 2):
                self._close_act(number - 1, traffic.cut(act.name))
                self._run(number, act)
                self._watch_for(SETTLE_SECONDS, "looking on")
                if not self.played[-1].as_expected:
                    break
            return self._finish(traffic)

    def _finish(self, traffic: Traffic) -> list[str]:
        result, problems = traffic.finish()
        acts = result["acts"]
        self._close_act(len(self.played), acts[-1])
        FIGURES.write_text(json.dumps(record(self.played, acts), indent=1) + "\n")
        rows = [
            (p.act.name, version(p.after), p.seconds, figures) for p, figures in zip(self.played, acts, strict=False)
        ]
        PICTURE.write_text(picture(rows))
        asked = f"{result['rate']:.0f} requests/s and {result['sockets']} WebSockets"
        say(f"  The clients: {asked}, with {result['cpu_share']:.0%} of a core.")
        return [*problems, *(one.complaint() for one in self.played if not one.as_expected)]

    def _run(self, number: int, act: Act) -> None:
        """Do what the user does, showing how it goes."""
        if act.ref:
            demo_project.choose(act.ref)
        say(f"\n{self._look.paint(f'Act {number}: {act.name}', 'bold')}\n  $ {act.command}")
        before = serving()
        started = time.monotonic()
        playbook = Playbook(PROJECT, act.words, LOGS / f"demo-{number}.log")
        status = playbook.wait(lambda task: self._show(act.name, time.monotonic() - started, task), TICK_SECONDS)
        seconds = time.monotonic() - started
        self._clear()
        self.played.append(Played(act, status, seconds, before, serving()))
        if not self.played[-1].as_expected:
            say(f"{playbook.last_words()}\n  All of it: {playbook.log.relative_to(ROOT)}")

    def _watch_for(self, seconds: float, why: str) -> None:
        """Let the clients work for a while."""
        started = time.monotonic()
        while (passed := time.monotonic() - started) < seconds:
            self._show(why, passed, "")
            time.sleep(TICK_SECONDS)
        self._clear()

    def _show(self, name: str, seconds: float, task: str) -> None:
        """The live line on a terminal; elsewhere a line for each new task."""
        now = self._traffic.now if self._traffic else None
        if self._live:
            line = progress(name, seconds, task, now, shutil.get_terminal_size().columns - 1)
            print(f"\r\033[K{line}", end="", flush=True)
        elif task not in ("", self._task):
            self._task = task
            say(progress("", seconds, task, now, 150))

    def _clear(self) -> None:
        if self._live:
            print("\r\033[K", end="", flush=True)

    def _close_act(self, number: int, figures: dict[str, Any]) -> None:
        say(summary(number, self.played[number - 1], figures, self._look))


def raise_curtain(debian: int | None) -> None:
    """Fresh hosts and, while they boot, the tools and the project."""
    demo_project.certificate()
    keys.passwords()  # before two threads want them
    with ThreadPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(lab.up, find(list(USUAL)), debian, fresh=True), pool.submit(begin_project)]
        for job in jobs:
            job.result()


def begin_project() -> None:
    """The tools, and the project with them."""
    environment.ensure()
    with step(f"project {PROJECT.relative_to(ROOT)}"):
        demo_project.scaffold(ACTS[0].ref)


def what_next(*, kept: bool) -> str:
    """What to try when the curtain has fallen."""
    if not kept:
        return "\nThe hosts are gone. ./dev demo --keep leaves them running, to look around and go on by hand."
    curl = f"curl --cacert {CA_FILE.relative_to(ROOT)} --resolve {DOMAIN}:443:{EDGE.address}"
    return f"""
It goes on running: https://{DOMAIN} at {EDGE.address}
  {curl} https://{DOMAIN}/health
  cd {PROJECT.relative_to(ROOT)} && export PATH={ROOT / ".venv/bin"}:$PATH
  ansible-playbook site.yml -i {INVENTORY}                      deploys what {INVENTORY}/group_vars/all/release.yml says
  ansible-playbook rollback.yml -i {INVENTORY} --tags traffic   sends everybody back
  ./dev ssh gl-app1 'systemctl list-units "mobile-sync-*"'
  ./dev down                                                  removes it all"""


def main(argv: Sequence[str]) -> int:
    """Run the demo; 0 if nothing was lost and everything ended as it should."""
    parser = argparse.ArgumentParser(
        "./dev demo", description="Deploy, deploy again, fail and roll back, under live traffic."
    )
    parser.add_argument("--keep", action="store_true", help="leave the hosts running at the end")
    parser.add_argument("--debian", type=int, choices=sorted(image.SUITES), help="release of the hosts (12)")
    parser.add_argument("--rate", type=float, default=200, help="HTTP requests a second (200)")
    parser.add_argument("--sockets", type=int, default=300, help="WebSockets, an item a second each (300)")
    options = parser.parse_args(argv)
    started = time.monotonic()
    FIGURES.unlink(missing_ok=True)
    raise_curtain(options.debian)
    problems = Demo(options.rate, options.sockets).play()
    took = minutes(time.monotonic() - started)
    if problems:
        raise Trouble(
            "\n  ".join([f"The demo did not go as it should ({took}):", *problems]), f"Logs: {LOGS.relative_to(ROOT)}"
        )
    say(f"\nNothing failed, nothing was lost, nothing was doubled ({took}).")
    say(f"Figures: {FIGURES.relative_to(ROOT)}, as a picture: {PICTURE.relative_to(ROOT)}")
    if not options.keep:
        lab.down(list(USUAL))
    say(what_next(kept=options.keep))
    return 0
