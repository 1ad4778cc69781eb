# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Retirements on this host: files below /var/lib/greenlight, a timer of systemd for each colour that waits."""

from __future__ import annotations

import fcntl
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.retire import plan, stopper
from ansible_collections.greenlight.deploy.plugins.module_utils.retire.plan import CANCELLED, SCHEDULED, Retirement
from ansible_collections.greenlight.deploy.plugins.module_utils.services.states import UnitState
from ansible_collections.greenlight.deploy.plugins.module_utils.services.systemd import Systemd
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import make_directory, write_atomic

STATE = Path("/var/lib/greenlight")
_PRIVATE = 0o600


class Kept:
    """How long the releases of one application stay installed on this host."""

    def __init__(self, app: str, state: Path = STATE) -> None:
        self._file = state / app / "retire" / "releases.json"

    def now(self, now: float) -> dict[str, float]:
        """The releases that must stay installed now, each with its end."""
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return plan.kept({str(release): float(until) for release, until in known.items()}, now)

    def add(self, release: str, until: float, now: float) -> None:
        """Keep ``release`` until then, and forget those whose time is over."""
        write_atomic(self._file, (json.dumps({**self.now(now), release: until}, indent=2) + "\n").encode(), _PRIVATE)


class Retirements:
    """The retirements of one application; ``state`` is the folder that holds those of all applications."""

    def __init__(self, app: str, systemd: Systemd, state: Path = STATE) -> None:
        self._folder = state / app / "retire"
        self._systemd = systemd
        self._kept = Kept(app, state)

    def of(self, colour: str) -> Retirement | None:
        """What is known of ``colour``."""
        try:
            text = self._file(colour).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return plan.parse(text, str(self._file(colour)))

    def schedule(self, wanted: Retirement, now: float, *, check: bool = False) -> bool:
        """Have the colour stopped when its time comes; whether anything changed.

        A retirement of the same release that waits already keeps its time, unless the new one is earlier.
        """
        waits = plan.waits(self.of(wanted.colour), wanted)
        if waits or check:
            return not waits
        with self._alone():
            script = self._folder / "stop.py"
            write_atomic(script, inspect.getsource(stopper).encode(), 0o700)
            self._write(wanted)
            self._kept.add(wanted.release, wanted.installed_until, now)
            service = plan.service(wanted, sys.executable, str(script), str(self._file(wanted.colour)))
            for kind, text in (("service", service), ("timer", plan.timer(wanted))):
                write_atomic(self._systemd.folder / f"{wanted.unit}.{kind}", text.encode(), 0o644)
            self._systemd.reload()
            self._systemd.enable([f"{wanted.unit}.timer"])
            self._systemd.start([f"{wanted.unit}.timer"])
        return True

    def cancel(self, colour: str, *, check: bool = False) -> bool:
        """Let the colour run on; whether it was to be stopped. One that is stopped already stays so."""
        known = self.of(colour)
        if known is None or check:
            return known is not None and known.state == SCHEDULED
        with self._alone():
            known = self.of(colour)
            if known is None or known.state != SCHEDULED:
                return False
            self._call_off(known)
        return True

    def revive(self, colour: str, units: tuple[str, ...], *, check: bool = False) -> tuple[bool, list[str]]:
        """Have the colour run again as it was installed, also after a reboot.

        Whether anything changed, and the units that were started. ``units`` are those that the colour is known to
        have where nothing was written down.
        """
        known = self.of(colour)
        states = self._systemd.show(known.units if known else units)
        _require_installed(colour, states)
        stopped = [unit for unit, state in states.items() if not state.up]
        disabled = [unit for unit, state in states.items() if not state.enabled]
        waits = known is not None and known.state == SCHEDULED
        if not check:
            with self._alone():
                if known:
                    self._call_off(known)
                self._systemd.enable(disabled)
                self._systemd.start(stopped)
        return bool(waits or stopped or disabled), stopped

    def _call_off(self, known: Retirement) -> None:
        """First what the script reads, then the timer: one that acts in between does nothing."""
        self._write(replace(known, state=CANCELLED))
        names = [f"{known.unit}.{kind}" for kind in ("timer", "service")]
        files = [self._systemd.folder / name for name in names]
        if any(file.exists() for file in files):
            self._systemd.stop(names)
            self._systemd.disable(names[:1])
            for file in files:
                file.unlink(missing_ok=True)
            self._systemd.reload()

    def _write(self, retirement: Retirement) -> None:
        write_atomic(self._file(retirement.colour), plan.render(retirement).encode(), _PRIVATE)

    def _file(self, colour: str) -> Path:
        return self._folder / f"{colour}.json"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Neither another run nor the script is at it meanwhile."""
        make_directory(self._folder)
        with (self._folder / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _require_installed(colour: str, states: Mapping[str, UnitState]) -> None:
    missing = [unit for unit, state in states.items() if state.load != "loaded"]
    if missing or not states:
        raise InvalidInput(
            f"{colour} is not installed here any more ({', '.join(missing) or 'no unit'} is missing)",
            where=colour,
            expected="the units of the colour",
            do="start a release that is installed: rollback.yml --tags code -e rollback_release=ID",
        )
