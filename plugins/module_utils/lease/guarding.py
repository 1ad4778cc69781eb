# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arm and disarm the dead-man's switch of this proxy."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import guard as guards
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import guard_text, sentences
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guard import Guard, Returned
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.lock import Claim
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import Moment
from ansible_collections.greenlight.deploy.plugins.module_utils.services.systemd import Systemd
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import NONE, Colour, settled
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import adopted


class NobodyRenews(GreenlightError):
    """The switch would act although nothing is wrong."""


class GivenBack(GreenlightError):
    """The switch acted during this deployment."""


class Switch:
    """The dead-man's switch of one application; ``systemd`` manages this host's units."""

    def __init__(self, files: DeploymentFiles, traffic: TrafficFiles, systemd: Systemd) -> None:
        self.files = files
        self.layout = files.layout
        self.traffic = traffic
        self.systemd = systemd

    def arm(self, after: int, now: Moment, *, check: bool = False) -> dict[str, Any]:
        """From now on the clients go home by themselves when nobody renews for ``after`` seconds."""
        self.traffic.contact()
        home = self._home()
        if home is None:
            return {"changed": False, "armed": False, **self._seen()}
        if check:
            return {"changed": self.files.guard() is None, "armed": True, "home": home, **self._seen()}
        with self.files.locked():
            guard = Guard(home, self._renewed_by(after).deployment, after)
            with self.traffic.locked():
                changed = self._begin(guard, now)
            if changed:
                self.files.append(now, guard.deployment, "guard armed", {"home": home, "after": after})
        return {"changed": changed, "armed": True, "home": home, **self._seen()}

    def disarm(self, now: Moment, *, check: bool = False) -> dict[str, Any]:
        """Take everything away; what the switch did is said for the last time."""
        seen = self._seen()
        present = [path for path in self._all() if path.exists()]
        if present and not check:
            with self.files.locked():
                deployment = guard.deployment if (guard := self.files.guard()) else ""
                with self.traffic.locked() if self.traffic.directory.is_dir() else nullcontext():
                    seen = self._seen()
                    self._end(present)
                self.files.append(now, deployment, "guard disarmed", seen)
        return {"changed": bool(present), "armed": False, **seen}

    def renew(self, claim: Claim, now: Moment) -> Returned | None:
        """The holder of the lock is alive; what the switch did in the holder's deployment, None when nothing."""
        guard = self.files.guard()
        if guard is not None and guard.deployment == claim.deployment:
            with self.traffic.locked():
                if self.files.guard() == guard:
                    self.files.write(self.layout.lease, guards.lease(guard, now))
        returned = self.files.returned()
        return returned if returned and returned.deployment == claim.deployment else None

    def _home(self) -> Colour | None:
        return adopted(self.traffic.record(), self.traffic.state() or NONE).serving

    def _renewed_by(self, after: int) -> Claim:
        lock = self.files.lock()
        if lock is None or not lock.claim.heartbeat:
            raise NobodyRenews(
                "nobody would renew it, since no run holds the lock",
                where=str(self.layout.lock),
                expected="the lock of a run",
                do="take the lock first (deployment_lock with state: taken)",
            )
        if after < 2 * lock.claim.heartbeat:
            raise InvalidInput(
                f"{after} s are over with one missed heartbeat of {lock.claim.heartbeat} s",
                where="after",
                expected="at least two heartbeats",
                do="correct greenlight_traffic.return_after or greenlight_lock.heartbeat",
            )
        returned = self.files.returned()
        if returned is not None and returned.deployment == lock.claim.deployment:
            raise GivenBack(
                f"the dead-man's switch {sentences.returned(returned.as_dict())}",
                where=str(self.layout.returned),
                do="end this deployment; then run it again",
            )
        return lock.claim

    def _begin(self, guard: Guard, now: Moment) -> bool:
        before = self.files.guard()
        self.traffic.keep_ready(settled(guard.home))
        self.layout.returned.unlink(missing_ok=True)
        changed = [
            self._put(self.layout.script, guard_text.script(self.layout), 0o700),
            self._put(self.layout.service, guard_text.service(self.layout), 0o644),
            self._put(self.layout.timer, guard_text.timer(self.layout), 0o644),
        ]
        self.files.write(self.layout.lease, guards.lease(guard, now))
        self.files.write(self.layout.guard, guards.render(guard))
        timer = self.layout.timer.name
        if any(changed):
            self.systemd.reload()
        if any(changed) or before is None or self.systemd.show([timer])[timer].active != "active":
            self.systemd.enable([timer])
            self.systemd.start([timer])
        return any(changed) or before != guard

    def _put(self, path: Path, text: str, mode: int) -> bool:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return False
        self.files.write(path, text, mode)
        return True

    def _end(self, present: list[Path]) -> None:
        self.layout.guard.unlink(missing_ok=True)  # from here on the script does nothing
        if self.layout.timer.exists():
            self.systemd.disable([self.layout.timer.name])
            self.systemd.stop([self.layout.timer.name])
        for path in present:
            path.unlink(missing_ok=True)
        if self.layout.timer in present:
            self.systemd.reload()

    def _all(self) -> list[Path]:
        layout = self.layout
        return [layout.guard, layout.lease, layout.script, layout.service, layout.timer, layout.returned]

    def _seen(self) -> dict[str, Any]:
        returned = self.files.returned()
        return {"returned": returned.as_dict() if returned else None}
