# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request about the lock of this host: take, renew, release, look."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import journal, sentences
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import lock as locks
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guarding import Switch
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.lock import Claim, How, Lock
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import Moment

Answer = dict[str, Any]
_LOOK_BACK = 200  # entries of the journal in which whoever took the lock and gave it free again is looked for
_WHY = ("owner", "version", "reason")


class Holding:
    """Every answer has ``changed``, ``how``, ``lock`` (as it is now), ``before`` (as it was) and ``sentence``."""

    def __init__(self, files: DeploymentFiles, switch: Switch, now: Moment, *, check: bool = False) -> None:
        self.files = files
        self.switch = switch
        self.now = now
        self.check = check

    def look(self) -> Answer:
        """Who holds it."""
        lock = self.files.lock()
        return self._answer(changed=False, how=None, before=lock, lock=lock, sentence=self._said(lock))

    def take(self, claim: Claim, *, steal: bool, dead: str) -> Answer:
        """Take it if that is right; ``how`` is ``held`` when it is not."""
        with self._alone():
            before = self.files.lock()
            how = locks.decide(before, claim, self.now, steal=steal, dead=dead)
            if how is How.HELD:
                return self._answer(changed=False, how=how, before=before, lock=before, sentence=self._said(before))
            if how is How.OWN and before is not None:
                lock = locks.renew(before, claim, self.now)
            else:
                lock = locks.grant(claim, self.now, secrets.token_hex(8))
            sentence = self._taken(how, before, claim)
            if not self.check:
                if how is not How.OWN:
                    self.files.append(self.now, claim.deployment, "lock taken", self._entry(how, before, claim))
                self.files.write_lock(lock)
                self.switch.renew(claim, self.now)
            return self._answer(changed=how is not How.OWN, how=how, before=before, lock=lock, sentence=sentence)

    def renew(self, claim: Claim, progress: Sequence[Mapping[str, Any]] = ()) -> Answer:
        """Show that the holder is alive; ``lost`` says why it is no longer, ``returned`` what the switch did.

        ``progress`` is what it has begun meanwhile, for the journal.
        """
        with self._alone():
            before = self.files.lock()
            if before is None or not before.own(claim):
                lost = self._lost(before, claim)
                answer = self._answer(changed=False, how=How.HELD, before=before, lock=before, sentence=lost)
                return {**answer, "lost": lost, "returned": ""}
            lock, returned = locks.renew(before, before.claim, self.now), None
            if not self.check:
                self.files.write_lock(lock)
                returned = self.switch.renew(claim, self.now)
                self._advance(claim.deployment, progress)
            said = f"this proxy {sentences.returned(returned.as_dict())}" if returned else ""
            answer = self._answer(changed=False, how=How.OWN, before=before, lock=lock, sentence=self._said(lock))
            return {**answer, "lost": "", "returned": said}

    def release(self, claim: Claim, *, steal: bool, dead: str) -> Answer:
        """Give it free if it is ours (``how`` is ``held`` when it is not); one that is gone is none to release."""
        with self._alone():
            before = self.files.lock()
            how = locks.decide(before, claim, self.now, steal=steal, dead=dead)
            if before is None or how is How.HELD:
                return self._answer(changed=False, how=how, before=before, lock=before, sentence=self._said(before))
            if not self.check:
                self.files.append(self.now, claim.deployment, "lock released", self._entry(how, before, claim))
                self.files.remove_lock()
            said = "released" + ("" if how is How.OWN else f"; it was {self._said(before)}")
            return self._answer(changed=True, how=how, before=before, lock=None, sentence=said)

    def _advance(self, deployment: str, progress: Sequence[Mapping[str, Any]]) -> None:
        """Note what was begun, unless the deployment has ended in the meantime."""
        record = self.files.record() or {}
        if record.get("deployment") != deployment or record["state"] == journal.RUNNING:
            for begun in progress:
                self.files.add(self.now, deployment, "begun", begun)

    def _alone(self) -> Any:
        return nullcontext() if self.check else self.files.locked()

    def _entry(self, how: How, before: Lock | None, claim: Claim) -> dict[str, Any]:
        entry: dict[str, Any] = {"how": how.value, **{key: getattr(claim, key) for key in _WHY}}
        if before is not None and how is not How.OWN:
            shown = locks.shown(before, self.now)
            entry["from"] = {key: shown[key] for key in (*_WHY, "deployment", "taken", "renewed")}
        return entry

    def _lost(self, lock: Lock | None, claim: Claim) -> str:
        if lock is not None:
            return sentences.lost(locks.shown(lock, self.now))
        entries, _torn = self.files.entries(_LOOK_BACK)
        taken = [one for one in entries if _robbed(one) == claim.deployment]
        return sentences.lost({**taken[-1]["data"], "taken": taken[-1]["at"]} if taken else None)

    def _taken(self, how: How, before: Lock | None, claim: Claim) -> str:
        if before is None or how in (How.FREE, How.OWN):
            return "locked for this run"
        return sentences.taken_over(locks.shown(before, self.now), how.value, claim.reason)

    def _said(self, lock: Lock | None) -> str:
        return sentences.held(locks.shown(lock, self.now)) if lock else "not locked"

    def _answer(
        self, *, changed: bool, how: How | None, before: Lock | None, lock: Lock | None, sentence: str
    ) -> Answer:
        return {
            "changed": changed,
            "how": how.value if how else None,
            "before": locks.shown(before, self.now) if before else None,
            "lock": locks.shown(lock, self.now) if lock else None,
            "sentence": sentence,
        }


def _robbed(entry: Mapping[str, Any]) -> str:
    """The deployment whose lock was taken away by this entry of the journal."""
    if not entry["event"].startswith("lock "):
        return ""
    return str(entry["data"].get("from", {}).get("deployment", ""))
