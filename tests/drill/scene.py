# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One cell on the stage: its clients, its commands, what is put back afterwards, what was seen."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from tests.drill.judge import Facts, lock_of
from tests.stage import command, world
from tests.stage.command import Command
from tests.stage.project import CA_FILE, DOMAIN, Project
from tools.console import Trouble
from tools.demo_traffic import Aim, Traffic
from tools.journey import open_sockets, wait_for_sockets
from tools.places import LOGS

FIRST, SECOND, FAULTY = "v1.0.0", "v2.0.0-sync", "v2.2.0-faulty"
RATE, SOCKETS = 60.0, 60
HOME_SECONDS = 40.0
SETTLE_SECONDS = 20.0
AFTER_SECONDS = 1.0


class Scene:
    """What an act can do. ``facts`` grows while it does."""

    def __init__(self, project: Project, name: str, stack: ExitStack, *, clients: bool) -> None:
        self.project = project
        self.facts = Facts()
        self._name = name
        self._stack = stack
        self._commands = 0
        self._wanted = SOCKETS if clients else 0
        self._traffic: Traffic | None = None

    def open(self) -> None:
        """Note who serves and let the clients come."""
        self.facts.before = world.one_voice(world.look(self.project))
        if self._wanted:
            aim = Aim(DOMAIN, self.project.edge.address, CA_FILE, RATE, SOCKETS)
            self._traffic = self._stack.enter_context(Traffic(aim))
            wait_for_sockets(self._traffic, SOCKETS)

    def deploy(self, ref: str, fault: str = "", **overrides: Any) -> Command:
        """Begin to deploy ``ref``, with a fault of the application and other values of the description."""
        if fault:
            overrides["greenlight_environment"] = {"MOBILE_SYNC_FAULT": fault}
        return self._begin(command.site, {"greenlight_ref": ref, **self._merged(overrides)})

    def roll_back(self, **variables: Any) -> Command:
        """Begin to send everybody back."""
        return self._begin(command.rollback, variables)

    def _merged(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Values of the description, those of a dictionary laid over what the project says there."""
        base = self.project.description
        return {
            name: {**base.get(name, {}), **value} if isinstance(value, dict) else value
            for name, value in overrides.items()
        }

    def _begin(self, kind: Callable[..., Command], variables: Mapping[str, Any]) -> Command:
        self._commands += 1
        return self._stack.enter_context(kind(self.project, f"drill-{self._name}-{self._commands}", variables))

    def finish(self, run: Command) -> None:
        """Wait for the end of a command: it is the one by which the cell is judged."""
        self.facts.status = run.wait()
        self.facts.reason = run.reason()
        self.note(f"{run.seconds:.0f} s")

    def wait_for_share(self, share: int) -> None:
        """Wait until the first proxy gives this share to the candidate."""
        world.wait_for_state(self.project.edge, f"*-{share}", command.LONGEST)

    def wait_for_home(self) -> None:
        """Wait until every proxy went back by itself."""
        self.note(f"home by itself after {world.wait_for_home(self.project, HOME_SECONDS):.0f} s")

    def after(self, act: Callable[[], object]) -> None:
        """Do this when the cell is over, whatever became of it."""
        self._stack.callback(act)

    def note(self, text: str) -> None:
        """Add a sentence to what the table says."""
        self.facts.notes.append(text)

    def miss(self, text: str) -> None:
        """What is not as it should be."""
        self.facts.problems.append(text)

    def close(self) -> None:
        """Let the clients settle and leave; note what became of everything."""
        facts = self.facts
        proxies = world.look(self.project)
        facts.after = world.one_voice(proxies)
        facts.states = {proxy.name: proxy.state for proxy in proxies}
        facts.locks = {proxy.name: lock_of(proxy.lock) for proxy in proxies}
        if self._traffic is not None:
            self._close_clients(self._traffic)

    def _close_clients(self, traffic: Traffic) -> None:
        facts = self.facts
        facts.wanted_sockets = self._wanted
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end and (len(self._sockets()) != 1 or open_sockets(traffic.now) != self._wanted):
            time.sleep(0.2)
        time.sleep(AFTER_SECONDS)
        facts.sockets = self._sockets()
        result, _problems = traffic.finish()
        (LOGS / f"drill-{self._name}.traffic.json").write_text(json.dumps(result, indent=1) + "\n")
        (act,) = result["acts"]
        facts.requests, facts.failed, facts.failures = act["requests"], act["failed"], act["failures"]
        facts.items_lost = act["items_lost"] - act["items_given_up"]
        facts.items_doubled = act["items_doubled"]
        if "error" in result["server"]:
            self.miss(f"the server's own count is missing: {result['server']['error']}")

    def _sockets(self) -> dict[str, int]:
        now = self._traffic.now if self._traffic else None
        return dict(now["sockets"]) if now else {}


def prepare(project: Project) -> None:
    """Bring :data:`FIRST` back to every client, by the shortest way there is."""
    proxies = world.look(project)
    if not _is_first(proxies) and _first_is_near(proxies):
        with command.rollback(project, "drill-prepare-back") as run:
            run.wait()
        proxies = world.look(project)
    if not _is_first(proxies):
        with command.site(project, "drill-prepare-site", {"greenlight_ref": FIRST}) as run:
            run.wait()
        proxies = world.look(project)
    if not _is_first(proxies):
        raise Trouble(f"{FIRST} could not be brought back, {world.one_voice(proxies)}.\n{run.last_words()}")


def _is_first(proxies: list[world.Proxy]) -> bool:
    """Whether the first version has every client of every proxy."""
    return all(proxy.settled and proxy.version == FIRST for proxy in proxies)


def _first_is_near(proxies: list[world.Proxy]) -> bool:
    """Whether the traffic alone has to be sent back: the colour that does not serve holds the first version."""
    records = [proxy.record for proxy in proxies]
    return all(
        record is not None
        and any(
            release and release.get("ref") == FIRST and (colour != record.get("serving") or not proxy.settled)
            for colour, release in (record.get("releases") or {}).items()
        )
        for proxy, record in zip(proxies, records, strict=True)
    )
