# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the journeys of ``molecule/`` need beside Ansible's own modules. Run as ``python -m tools.journey``.

``install DIR`` puts the built collection into DIR and the example's packages where the hosts find them, unless they are
there already from the same files.
``digest`` prints what the built collection is made of, as one checksum.
``play PROJECT LOG [--clients ...] -- WORDS`` runs ``ansible-playbook WORDS`` in a user's project, keeps what it says in
LOG and prints one JSON object: ``{"status", "seconds", "traffic": {"problems", "total", "sockets"} or null}``. With
``--clients`` the demo's clients are at work from before the command until some seconds after it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools import built, wheels
from tools.console import Trouble, say, warn
from tools.demo_traffic import Aim, Traffic
from tools.machine import install_packages
from tools.user import Playbook

CONNECT_SECONDS = 30.0
AFTER_SECONDS = 3.0
TICK = 0.1


def play(project: Path, words: Sequence[str], log: Path) -> tuple[int, float]:
    """Run ``ansible-playbook`` in ``project``; its exit status and how many seconds it took."""
    started = time.monotonic()
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(project.parent / "collections")}
    status = Playbook(project, words, log, **collections).wait(interval=TICK)
    return status, round(time.monotonic() - started, 1)


def wait_for_sockets(traffic: Traffic, wanted: int) -> None:
    """Wait until every client with a WebSocket has one."""
    end = time.monotonic() + CONNECT_SECONDS
    while open_sockets(traffic.now) != wanted:
        if time.monotonic() > end:
            raise Trouble(
                f"Only {open_sockets(traffic.now)} of {wanted} WebSockets were open after {CONNECT_SECONDS:.0f} s.",
                "Ask the proxy by hand; is a version serving?",
            )
        time.sleep(TICK)


def open_sockets(now: dict[str, Any] | None) -> int:
    """How many WebSockets there were in the last second."""
    return sum(now["sockets"].values()) if now else 0


def under_traffic(project: Path, words: Sequence[str], log: Path, aim: Aim) -> dict[str, Any]:
    """Do what :func:`play` does while the clients work; its outcome and theirs."""
    with Traffic(aim) as traffic:
        wait_for_sockets(traffic, aim.sockets)
        status, seconds = play(project, words, log)
        time.sleep(AFTER_SECONDS)
        sockets = traffic.now["sockets"] if traffic.now else {}
        result, problems = traffic.finish()
    log.with_suffix(".traffic.json").write_text(json.dumps(result, indent=1) + "\n")
    seen = {"problems": problems, "total": result["total"], "sockets": sockets}
    return {"status": status, "seconds": seconds, "traffic": seen}


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools.journey")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("install")
    one.add_argument("path", type=Path)
    commands.add_parser("digest")
    two = commands.add_parser("play")
    two.add_argument("project", type=Path)
    two.add_argument("log", type=Path)
    two.add_argument("--clients", nargs=3, metavar=("DOMAIN", "ADDRESS", "CA_FILE"), help="whom the clients ask")
    two.add_argument("--rate", type=float, default=50, help="their HTTP requests a second (50)")
    two.add_argument("--sockets", type=int, default=40, help="their WebSockets, an item a second each (40)")
    two.add_argument("words", nargs="+", help="what follows ansible-playbook")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the words say; 0 if that could be done, whatever became of the playbook."""
    options = arguments(argv)
    try:
        if options.command == "install":
            wheels.ensure()
            if shutil.which("psql") is None:  # for a gate that asks a database
                install_packages(["postgresql-client"])
            say("installed" if built.install(options.path) else "there already")
            return 0
        if options.command == "digest":
            say(built.digest())
            return 0
        if options.clients:
            domain, address, ca_file = options.clients
            aim = Aim(domain, address, Path(ca_file), options.rate, options.sockets)
            outcome = under_traffic(options.project, options.words, options.log, aim)
        else:
            status, seconds = play(options.project, options.words, options.log)
            outcome = {"status": status, "seconds": seconds, "traffic": None}
    except Trouble as trouble:
        warn(str(trouble))
        return 1
    say(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main())
