# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done to bring the instances of one colour from what was seen to what is wanted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import Instance
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState


@dataclass(frozen=True)
class Seen:
    """One colour on this host: release of its link, texts by file, all its instances by unit.

    ``fingerprints`` says with which configuration each running instance was started. Empty text means no file.
    """

    release: str = ""
    environment: str = ""
    templates: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, UnitState] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    firewall: bool = True

    @property
    def up(self) -> tuple[str, ...]:
        """The units that are started."""
        return tuple(unit for unit, state in self.units.items() if state.up)


@dataclass(frozen=True)
class Wanted:
    """What the colour is to be; the same terms as :class:`Seen`, and the instances that must run."""

    release: str
    environment: str
    templates: Mapping[str, str]
    fingerprint: str = ""
    instances: tuple[Instance, ...] = ()

    @property
    def units(self) -> tuple[str, ...]:
        """The units that must run."""
        return tuple(instance.unit for instance in self.instances)


@dataclass(frozen=True)
class Plan:
    """The steps that are left, in the order in which they are done."""

    firewall: bool = False
    stop: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    environment: bool = False
    link: bool = False
    reload: bool = False
    start: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    enable: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything is left to do."""
        return bool(self.actions())

    @property
    def touched(self) -> tuple[str, ...]:
        """The units whose processes end or begin."""
        return (*self.stop, *self.start, *self.restart)

    def actions(self) -> list[str]:
        """The steps in words."""
        single = {"firewall": self.firewall, "environment": self.environment, "link": self.link, "reload": self.reload}
        done = [name for name, needed in single.items() if needed]
        for verb in ("stop", "disable", "write", "delete", "start", "restart", "enable"):
            done += [f"{verb} {name}" for name in getattr(self, verb)]
        return done


def decide(seen: Seen, wanted: Wanted) -> Plan:
    """The steps from ``seen`` to ``wanted``; nothing that is right already is touched."""
    write = tuple(name for name, text in wanted.templates.items() if seen.templates.get(name) != text)
    delete = tuple(name for name in seen.templates if name not in wanted.templates)
    states = {unit: seen.units.get(unit, UnitState(unit)) for unit in wanted.units}
    running = [unit for unit, state in states.items() if state.up]
    return Plan(
        firewall=not seen.firewall,
        stop=tuple(unit for unit in seen.up if unit not in wanted.units),
        disable=tuple(unit for unit, state in seen.units.items() if state.enabled and unit not in wanted.units),
        write=write,
        delete=delete,
        environment=seen.environment != wanted.environment,
        link=seen.release != wanted.release,
        reload=bool(write or delete) or any(state.outdated for state in states.values()),
        start=tuple(unit for unit in wanted.units if unit not in running),
        restart=tuple(unit for unit in running if seen.fingerprints.get(unit) != wanted.fingerprint),
        enable=tuple(unit for unit, state in states.items() if not state.enabled),
    )


def require_not_serving(colour: str, serving: str, plan: Plan, seen: Seen, wanted: Wanted) -> None:
    """:class:`InvalidInput` when ``plan`` would end a process, or change the release, of the colour that serves."""
    if colour != serving:
        return
    ends = [unit for unit in (*plan.stop, *plan.restart) if seen.units[unit].up]
    if not ends and not plan.link:
        return
    reason = (
        f"its release would change from {seen.release or 'none'} to {wanted.release or 'none'}"
        if plan.link
        else f"{', '.join(ends)} would be {'restarted' if ends[0] in plan.restart else 'stopped'}"
    )
    raise InvalidInput(
        f"{colour} serves clients now, and {reason}",
        where="colour",
        expected="the idle colour, so that no client notices",
        do="deploy to the other colour and shift the traffic there first",
    )


def describe_before(seen: Seen, plan: Plan) -> str:
    """What the colour is again after a failure, for the message."""
    if not plan.changed:
        return "Nothing was changed"
    if seen.up:
        return f"It is back on {seen.release}, with {len(seen.up)} instance(s) running as before"
    return "It is stopped again, as before" + (f", on {seen.release}" if seen.release else "")
