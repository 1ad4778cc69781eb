# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings a colour to the wanted state: refuses first, then acts, then waits, and puts back what went wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Account
from ansible_collections.greenlight.deploy.plugins.module_utils.build.interruption import ended_by_signals
from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import listeners
from ansible_collections.greenlight.deploy.plugins.module_utils.services import colour as colours
from ansible_collections.greenlight.deploy.plugins.module_utils.services.control_token import ControlToken
from ansible_collections.greenlight.deploy.plugins.module_utils.services.environment import (
    CONTROL_TOKEN,
    environment_file,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.services.nftables import Firewall
from ansible_collections.greenlight.deploy.plugins.module_utils.services.order import Order
from ansible_collections.greenlight.deploy.plugins.module_utils.services.plan import (
    Plan,
    Seen,
    Wanted,
    decide,
    describe_before,
    require_not_serving,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.services.probing import Questions
from ansible_collections.greenlight.deploy.plugins.module_utils.services.readiness import Limits, Watch
from ansible_collections.greenlight.deploy.plugins.module_utils.services.systemd import Systemd


@dataclass(frozen=True)
class Outcome:
    """What was seen, wanted and done; ``guarded`` when there is a packet filter.

    ``watches`` followed the instances of a colour that was started.
    """

    seen: Seen
    wanted: Wanted
    plan: Plan
    guarded: bool = False
    watches: tuple[Watch, ...] = ()


@dataclass(frozen=True)
class Host:
    """One colour's place on this host. ``serving`` is the colour that serves; with ``check`` nothing is changed."""

    place: colours.Place
    systemd: Systemd
    token: ControlToken
    serving: str
    check: bool

    def start(self, order: Order, questions: Questions, limits: Limits) -> Outcome:
        """Have every instance run and ready.

        Raises :class:`InvalidInput` before any change, and :class:`NotReady` after the colour was put back.
        """
        wanted = order.wanted()
        packet_filter = Firewall(order.app, self.place.configuration, order.rules(), order.chain())
        colour = colours.Colour(self.place, self.systemd, packet_filter)
        with self._alone():
            wanted = self._with_token(wanted)
            seen = colour.look(wanted.units)
            plan = decide(seen, wanted)
            require_not_serving(order.colour, self.serving, plan, seen, wanted)
            colours.require_own_units(self.systemd, seen, wanted)
            colours.require_free_ports(order.address, wanted, seen, plan, listeners())
            if self.check:
                return Outcome(seen, wanted, plan, order.guarded)
            _require_startable(self.place.store, order)
            if plan.firewall:
                packet_filter.require_usable()
            self.token.keep()
            watches = colours.watches_of(wanted, seen, plan, limits)
            began = time.time()
            with colour.restored_on_failure(seen, plan, wanted):
                if plan.changed:
                    colour.apply(plan, wanted)
                failed = colour.wait(watches, questions, limits)
                if failed:
                    secrets = [self.token.value(), *(str(value) for value in order.secrets.values())]
                    raise colour.explain(failed, began, secrets, describe_before(seen, plan))
                colour.enable(plan)
        return Outcome(seen, wanted, plan, order.guarded, tuple(watches))

    def end(self, *, gone: bool) -> Outcome:
        """Have no instance run; with ``gone``, leave nothing of the colour, and no packet filter without a colour."""
        last = gone and not self.place.other_environment_file.exists()
        no_filter = Firewall(self.place.store.app, self.place.configuration, "", "") if last else None
        colour = colours.Colour(self.place, self.systemd, no_filter)
        with self._alone():
            seen = colour.look()
            wanted = Wanted("", "", {}) if gone else Wanted(seen.release, seen.environment, seen.templates)
            plan = decide(seen, wanted)
            require_not_serving(self.place.colour, self.serving, plan, seen, wanted)
            if plan.changed and not self.check:
                colour.apply(plan, wanted)
            if last and not self.check:
                self.token.forget()
        return Outcome(seen, wanted, plan)

    def _with_token(self, wanted: Wanted) -> Wanted:
        """The token changes nothing that a client sees, so it is no part of the fingerprint and restarts nobody."""
        return replace(wanted, environment=wanted.environment + environment_file({CONTROL_TOKEN: self.token.value()}))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other run on this host at the same time; a look alone needs no lock and leaves no trace."""
        if self.check:
            yield
            return
        with ended_by_signals(), self.place.store.lock():
            yield


def _require_startable(store: Store, order: Order) -> None:
    """:class:`InvalidInput` when user, release or a program of a service is not there."""
    Account.of(order.user)
    path = store.release_path(order.release)
    if store.release(order.release) is None:
        raise InvalidInput(
            f"release {order.release} is not complete on this host",
            where=str(path),
            expected="a release that was built or installed here",
            do="run the role app_release first",
        )
    for service in order.services:
        program = Path(service.argv[0])
        file = program if program.is_absolute() else path / "venv" / "bin" / program
        if not file.exists():
            raise InvalidInput(
                f"there is no program {service.argv[0]} for the service {service.name}",
                where=str(file),
                expected="a package in the lock file that brings it",
                do="add the package to the application's requirements",
            )
