# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One colour of an application on this host: looked at, brought to what is wanted, or put back to what it was."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.output import redact, tail
from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput, NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.module_utils.services import probing, units
from ansible_collections.greenlight.deploy.plugins.module_utils.services.environment import FINGERPRINT
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import (
    COLOURS,
    template_name,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.services.nftables import Firewall
from ansible_collections.greenlight.deploy.plugins.module_utils.services.plan import Plan, Seen, Wanted
from ansible_collections.greenlight.deploy.plugins.module_utils.services.readiness import Limits, Watch
from ansible_collections.greenlight.deploy.plugins.module_utils.services.systemd import Systemd


class NotRestored(GreenlightError):
    """A colour failed and could not be put back to what it had been."""


@dataclass(frozen=True)
class Place:
    """Which colour of which application, and where its files are: ``configuration`` is below /etc."""

    store: Store
    colour: str
    configuration: Path

    @property
    def link(self) -> Path:
        """The colour's link to its release."""
        return self.store.home / self.colour

    @property
    def environment_file(self) -> Path:
        """The file with the environment of all its instances, secrets among them."""
        return self.configuration / f"{self.colour}.env"

    @property
    def other_environment_file(self) -> Path:
        """The same file of the other colour, which exists as long as that colour is installed."""
        other = next(each for each in COLOURS if each != self.colour)
        return self.configuration / f"{other}.env"


class Colour:
    """The instances of one colour; a packet filter that is not given is left as it is."""

    def __init__(self, place: Place, systemd: Systemd, firewall: Firewall | None) -> None:
        self._place = place
        self._systemd = systemd
        self._firewall = firewall

    def look(self, wanted_units: Sequence[str] = ()) -> Seen:
        """What there is now, of every instance that systemd knows and of ``wanted_units``; changes nothing."""
        templates = self._templates()
        known = {unit for name in templates for unit in self._systemd.instances(name)}
        states = self._systemd.show(sorted(known.union(wanted_units)))
        return Seen(
            release=self._place.store.colours()[self._place.colour],
            environment=_text(self._place.environment_file),
            templates=templates,
            units=states,
            fingerprints={unit: _fingerprint_of(state.pid) for unit, state in states.items() if state.running},
            firewall=self._firewall is None or self._firewall.in_force(self._systemd),
        )

    def apply(self, plan: Plan, wanted: Wanted) -> None:
        """Do what ``plan`` says, up to the start of the instances; enabling waits until they are ready."""
        if self._firewall and plan.firewall:
            self._firewall.load(self._systemd)
        self._systemd.stop(plan.stop)
        self._systemd.disable(plan.disable)
        self._write(wanted.release, wanted.environment, wanted.templates, plan.write)
        for name in plan.delete:
            (self._systemd.folder / name).unlink(missing_ok=True)
        if plan.reload:
            self._systemd.reload()
        self._systemd.start((*plan.start, *plan.restart))

    def enable(self, plan: Plan) -> None:
        """Have the instances come back after a reboot."""
        self._systemd.enable(plan.enable)

    @contextmanager
    def restored_on_failure(self, seen: Seen, plan: Plan, wanted: Wanted) -> Iterator[None]:
        """Whatever goes wrong inside, the colour is afterwards what it was in ``seen``.

        :class:`NotRestored` when that is not so.
        """
        try:
            yield
        except BaseException as error:
            try:
                self._restore(seen, plan, wanted)
            except GreenlightError as second:
                raise NotRestored(
                    f"{error}\nPutting it back failed too: {second}",
                    where=f"{self._place.store.app} {self._place.colour}",
                    do="see what its units do, and run again; the other colour was not touched",
                ) from error
            raise

    def wait(self, watches: Sequence[Watch], questions: probing.Questions, limits: Limits) -> Watch | None:
        """Wait until every instance is ready; the first that never will be, if there is one."""
        return probing.wait(watches, self._systemd.show, questions.ask, limits)

    def explain(self, failed: Watch, since: float, secrets: Sequence[str], before: str) -> NotReady:
        """The error for an instance that is not ready: what was asked and answered, and what it wrote itself.

        ``before`` says in a sentence what the colour is again.
        """
        unit = failed.instance.unit
        journal = tail(redact(self._systemd.journal(unit, since), secrets))
        answer = redact(failed.probe.answer, secrets)
        said = f"\nLast lines of the unit:\n{journal}\n" if journal else ""
        return NotReady(
            f"{failed.why}. {failed.probe.asked}: {answer}. {failed.unit.describe()}.{said}",
            where=unit,
            expected="port, health, readiness and WebSocket answering, and no restart",
            do=f"mend the release or its environment. {before}",
        )

    def _restore(self, seen: Seen, plan: Plan, wanted: Wanted) -> None:
        self._systemd.disable([unit for unit in plan.enable if not seen.units[unit].enabled])
        self._systemd.stop([unit for unit in plan.start if unit not in seen.up])
        if plan.write or plan.delete or plan.environment or plan.link:
            for name in wanted.templates.keys() - seen.templates.keys():
                (self._systemd.folder / name).unlink(missing_ok=True)
            self._write(seen.release, seen.environment, seen.templates, tuple(seen.templates))
            self._systemd.reload()
        self._systemd.start([unit for unit in (*plan.stop, *plan.restart) if unit in seen.up])
        self._systemd.enable([unit for unit in plan.disable if seen.units[unit].enabled])

    def _write(self, release: str, environment: str, templates: Mapping[str, str], names: Sequence[str]) -> None:
        place = self._place
        for name in names:
            tree.write_atomically(self._systemd.folder / name, templates[name], 0o644)
        if environment:
            place.configuration.mkdir(parents=True, exist_ok=True)
            tree.write_atomically(place.environment_file, environment, 0o600)
        else:
            place.environment_file.unlink(missing_ok=True)
        if release:
            tree.point(place.link, f"releases/{release}")
        else:
            place.link.unlink(missing_ok=True)

    def _templates(self) -> dict[str, str]:
        """The template units of this colour that we wrote, by file name."""
        app, colour = self._place.store.app, self._place.colour
        found = {}
        for path in sorted(self._systemd.folder.glob(template_name(app, "*", colour))):
            service = path.name.removeprefix(f"{app}-").removesuffix(f"-{colour}@.service")
            text = _text(path)
            if text.startswith(units.marker(app, service, colour)):
                found[path.name] = text
        return found


def require_own_units(systemd: Systemd, seen: Seen, wanted: Wanted) -> None:
    """:class:`InvalidInput` when a unit of a wanted name exists that we did not write."""
    for name in wanted.templates:
        path = systemd.folder / name
        if path.exists() and name not in seen.templates:
            raise InvalidInput(
                "a unit of that name exists already",
                where=str(path),
                expected="a name that nothing else uses",
                do="rename the application or the service, or remove that unit",
            )


def require_free_ports(address: str, wanted: Wanted, seen: Seen, plan: Plan, holders: Sequence[Listener]) -> None:
    """:class:`InvalidInput` when a program holds an instance's port that is neither it nor going to be stopped."""
    for instance in wanted.instances:
        holder = probing.holder_of(address, instance.port, holders)
        state = seen.units[instance.unit]
        own = holder and (holder.unit in (instance.unit, *plan.stop) or holder.pid == state.pid > 0)
        if holder and not own:
            raise InvalidInput(
                f"port {instance.port} is held by {probing.name_of(holder)}",
                where=f"{address}:{instance.port}",
                expected=f"a free port for {instance.unit}",
                do="end that program, or give the service other ports",
            )


def watches_of(wanted: Wanted, seen: Seen, plan: Plan, limits: Limits) -> list[Watch]:
    """One watch for each instance; one that runs already has to answer only once."""
    now = time.monotonic()
    fresh = (*plan.start, *plan.restart)
    return [
        Watch(instance, limits, now)
        if instance.unit in fresh
        else Watch(instance, replace(limits, successes=1), now, seen.units[instance.unit].restarts)
        for instance in wanted.instances
    ]


def _fingerprint_of(pid: int) -> str:
    """The configuration that a process was started with; empty when it has none or has ended."""
    path = Path(f"/proc/{pid}/environ")
    try:
        content = path.read_bytes()
    except PermissionError as error:
        raise InvalidInput(
            "root may not look into the application's processes here",
            where=str(path),
            expected="to see with which configuration an instance runs, and who holds its port",
            do="run the module as root, and give a container the capability SYS_PTRACE",
        ) from error
    except OSError:
        return ""
    prefix = f"{FINGERPRINT}=".encode()
    return next((each[len(prefix) :].decode() for each in content.split(b"\0") if each.startswith(prefix)), "")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
