# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A colour on a host whose systemd is played by a small class: what it is told, and what is put back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed, InvalidInput, NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.module_utils.services import colour as colours
from ansible_collections.greenlight.deploy.plugins.module_utils.services import units
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import Instance
from ansible_collections.greenlight.deploy.plugins.module_utils.services.plan import Plan, Seen, Wanted, decide
from ansible_collections.greenlight.deploy.plugins.module_utils.services.readiness import Limits, Probe, Watch
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState

TEMPLATE = "app-web-green@.service"
ONE, TWO = "app-web-green@8201.service", "app-web-green@8202.service"
TEXT = units.marker("app", "web", "green") + "\n[Service]\n"


class Systemd:
    """Knows which units are up and enabled, and remembers what it was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.up: set[str] = set()
        self.enabled: set[str] = set()
        self.told: list[str] = []

    def show(self, names: Sequence[str]) -> dict[str, UnitState]:
        return {
            name: UnitState(
                name,
                "loaded",
                "active" if name in self.up else "inactive",
                enabled=name in self.enabled,
            )
            for name in names
        }

    def instances(self, template: str) -> list[str]:
        prefix = template.partition("@")[0]
        return sorted(name for name in self.up | self.enabled if name.startswith(f"{prefix}@"))

    def reload(self) -> None:
        self.told.append("reload")

    def start(self, names: Sequence[str]) -> None:
        self._tell("start", names)
        self.up |= set(names)

    def stop(self, names: Sequence[str]) -> None:
        self._tell("stop", names)
        self.up -= set(names)

    def enable(self, names: Sequence[str]) -> None:
        self._tell("enable", names)
        self.enabled |= set(names)

    def disable(self, names: Sequence[str]) -> None:
        self._tell("disable", names)
        self.enabled -= set(names)

    def journal(self, unit: str, since: float) -> str:
        return f"{unit} says hunter2 is wrong\n"

    def _tell(self, verb: str, names: Sequence[str]) -> None:
        self.told += [f"{verb} {name}" for name in names]


@pytest.fixture
def systemd(tmp_path):
    folder = tmp_path / "systemd"
    folder.mkdir()
    return Systemd(folder)


@pytest.fixture
def place(tmp_path):
    store = Store("app", str(tmp_path / "opt"))
    store.home.mkdir(parents=True)
    return colours.Place(store, "green", tmp_path / "etc")


@pytest.fixture
def colour(place, systemd):
    return colours.Colour(place, systemd, None)


def wanted(release: str = "r2", *, text: str = TEXT) -> Wanted:
    instances = (Instance("web", ONE, 8201), Instance("web", TWO, 8202))
    return Wanted(release, f'RELEASE="{release}"\n', {TEMPLATE: text}, "print", instances)


def bring(colour, target: Wanted) -> Seen:
    seen = colour.look(target.units)
    plan = decide(seen, target)
    colour.apply(plan, target)
    colour.enable(plan)
    return seen


def test_a_fresh_host(colour, place, systemd):
    bring(colour, wanted())
    assert (systemd.folder / TEMPLATE).read_text() == TEXT
    assert place.environment_file.read_text() == 'RELEASE="r2"\n'
    assert place.environment_file.stat().st_mode & 0o777 == 0o600
    assert str(place.link.readlink()) == "releases/r2"
    assert systemd.told == ["reload", f"start {ONE}", f"start {TWO}", f"enable {ONE}", f"enable {TWO}"]


def test_what_is_seen_again_is_what_was_wanted(colour):
    bring(colour, wanted())
    seen = colour.look(wanted().units)
    assert (seen.release, seen.environment, seen.templates) == ("r2", 'RELEASE="r2"\n', {TEMPLATE: TEXT})
    assert set(seen.up) == {ONE, TWO}


def fail(colour, seen: Seen, plan: Plan, target: Wanted, error: BaseException) -> None:
    with colour.restored_on_failure(seen, plan, target):
        colour.apply(plan, target)
        raise error


def test_a_failure_on_a_fresh_host_leaves_nothing(colour, place, systemd):
    target = wanted()
    seen = colour.look(target.units)
    plan = decide(seen, target)
    with pytest.raises(NotReady):
        fail(colour, seen, plan, target, NotReady("no"))
    assert not systemd.up
    assert not systemd.enabled
    assert list(systemd.folder.iterdir()) == []
    assert not place.environment_file.exists()
    assert not place.link.is_symlink()


def test_a_failure_puts_a_running_colour_back(colour, place, systemd):
    bring(colour, wanted("r1"))
    target = wanted("r2", text=TEXT + "# new\n")
    seen = colour.look(target.units)
    plan = decide(seen, target)
    assert plan.restart == (ONE, TWO)
    systemd.told.clear()
    with pytest.raises(SystemExit):
        fail(colour, seen, plan, target, SystemExit(143))
    assert str(place.link.readlink()) == "releases/r1"
    assert place.environment_file.read_text() == 'RELEASE="r1"\n'
    assert (systemd.folder / TEMPLATE).read_text() == TEXT
    assert systemd.told[-3:] == ["reload", f"start {ONE}", f"start {TWO}"]
    assert systemd.enabled == {ONE, TWO}


def test_absent_leaves_nothing(colour, place, systemd):
    bring(colour, wanted())
    bring(colour, Wanted("", "", {}))
    assert not systemd.up
    assert not systemd.enabled
    assert list(systemd.folder.iterdir()) == []
    assert not place.environment_file.exists()
    assert not place.link.is_symlink()


def test_units_of_an_application_with_a_longer_name_are_not_ours(tmp_path, systemd):
    (systemd.folder / "app-admin-web-green@.service").write_text(units.marker("app-admin", "web", "green"))
    colour = colours.Colour(colours.Place(Store("app", str(tmp_path)), "green", tmp_path), systemd, None)
    assert colour.look().templates == {}


def test_a_unit_that_somebody_else_wrote_is_not_overwritten(colour, systemd):
    (systemd.folder / TEMPLATE).write_text("[Service]\n")
    with pytest.raises(InvalidInput, match="a unit of that name exists already"):
        colours.require_own_units(systemd, colour.look(), wanted())


@pytest.mark.parametrize("address", ["10.0.0.21", "0.0.0.0", "*"])
def test_a_port_that_another_program_holds_is_named(colour, address):
    target = wanted()
    seen = colour.look(target.units)
    holder = Listener(address, 8202, "nc", 9, "nc.service")
    with pytest.raises(InvalidInput, match=r"port 8202 is held by nc \(pid 9, nc.service\)"):
        colours.require_free_ports("10.0.0.21", target, seen, decide(seen, target), [holder])


@pytest.mark.parametrize(
    "holder",
    [
        Listener("10.0.0.21", 8201, "daphne", 7, ONE),
        Listener("127.0.0.1", 8201, "nc", 9),
        Listener("10.0.0.21", 8101, "nc", 9),
    ],
)
def test_ports_that_are_free_or_ones_own(colour, holder):
    target = wanted()
    seen = colour.look(target.units)
    colours.require_free_ports("10.0.0.21", target, seen, decide(seen, target), [holder])


def test_a_port_of_a_service_that_is_renamed_is_free_once_the_old_one_stops(colour, systemd):
    old = "app-old-green@8201.service"
    (systemd.folder / "app-old-green@.service").write_text(units.marker("app", "old", "green"))
    systemd.up = {old}
    target = wanted()
    seen = colour.look(target.units)
    plan = decide(seen, target)
    assert plan.stop == (old,)
    colours.require_free_ports("10.0.0.21", target, seen, plan, [Listener("10.0.0.21", 8201, "daphne", 7, old)])


def test_a_colour_that_cannot_be_put_back_is_told(colour, systemd):
    target = wanted()
    seen = colour.look(target.units)

    def stuck(_names):
        raise CommandFailed("still ran after 120 s and was killed: systemctl stop")

    systemd.stop = stuck
    with pytest.raises(colours.NotRestored, match=r"Putting it back failed too: still ran"):
        fail(colour, seen, decide(seen, target), target, NotReady("no"))


def test_a_failure_is_explained_without_secrets(colour):
    watch = Watch(Instance("web", ONE, 8201), Limits(timeout=5, steady=1), 0.0)
    unit = UnitState(ONE, "loaded", "active", "running", pid=7)
    watch.observe(5.0, unit, Probe(ok=False, asked="GET /readiness", answer="503 in 2 ms; first bytes: hunter2"))
    text = str(colour.explain(watch, 0.0, ["hunter2"], "It is stopped again, as before"))
    assert "hunter2" not in text
    for part in (ONE, "not ready after 5 s", "GET /readiness: 503", "active/running", "says ********", "stopped again"):
        assert part in text


def test_what_runs_already_has_to_answer_once(colour):
    bring(colour, wanted())
    seen = colour.look(wanted().units)
    running, fresh = colours.watches_of(wanted(), seen, Plan(start=(TWO,)), Limits(steady=0))
    unit = UnitState(ONE, "loaded", "active", "running", pid=7)
    assert running.observe(running._began, unit, Probe(ok=True)) == "ready"
    assert fresh.observe(fresh._began, unit, Probe(ok=True)) == "waiting"
