# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.lock import How, Process
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.options import ARGUMENTS
from ansible_collections.greenlight.deploy.plugins.plugin_utils import processes
from ansible_collections.greenlight.deploy.plugins.plugin_utils.keeper import Keeper

_POLL = 15.0  # seconds between two looks at a lock that another holds
_SAY = 60.0  # seconds between two lines while waiting

Answer = dict[str, Any]


class ActionModule(ActionBase):
    """Waits for the lock, has it renewed while the run lives, and knows which holders are dead."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> Answer:
        """Called by Ansible."""
        result: Answer = super().run(tmp, task_vars)
        _outcome, wanted = self.validate_argument_spec(ARGUMENTS)
        self._variables = task_vars or {}
        self._wanted = {**wanted, "holder": self._holder(wanted["heartbeat"])}
        self._keeper = Keeper(wanted["app"], self._variables["inventory_hostname"])
        act = {"taken": self._take, "released": self._release, "renewed": self._renew, "present": self._look}
        result.update(act[wanted["state"]]())
        return result

    def _holder(self, heartbeat: int) -> Answer:
        run = processes.process(os.getppid()) if heartbeat else None
        return {"owner": processes.user(), "process": vars(run) if run else None}

    def _ask(self, **changes: Any) -> Answer:
        arguments = {**self._wanted, **changes}
        answer: Answer = self._execute_module(
            module_name="greenlight.deploy.deployment_lock", module_args=arguments, task_vars=self._variables
        )
        return answer

    def _ask_knowing_the_dead(self) -> Answer:
        answer = self._ask()
        lock = answer.get("lock")
        if answer.get("how") == How.HELD.value and lock["process"] and processes.dead(Process(**lock["process"])):
            return self._ask(dead=lock["token"])
        return answer

    def _take(self) -> Answer:
        self._waited = False
        answer = {**self._wait(), "waited": self._waited}
        if answer.get("failed"):
            return answer
        if answer["how"] == How.HELD.value:
            return {**answer, "failed": True, "msg": self._refusal(answer["sentence"])}
        if answer["how"] not in (How.FREE.value, How.OWN.value):
            self._say(answer["sentence"])
        if self._wanted["heartbeat"] and not self._task.check_mode:
            try:
                self._keep()
            except GreenlightError as error:
                return {**answer, "failed": True, "msg": str(error)}
        return answer

    def _wait(self) -> Answer:
        run, end, said = os.getppid(), time.monotonic() + self._wanted["wait"], ("", 0.0)
        while True:
            answer = self._ask_knowing_the_dead()
            now = time.monotonic()
            if answer.get("failed") or answer["how"] != How.HELD.value or now >= end or self._task.check_mode:
                return answer
            if os.getppid() != run:
                return {**answer, "failed": True, "msg": "the run has ended"}
            self._waited = True
            lock = answer["lock"]
            if said[0] != lock["token"] or now - said[1] >= _SAY:
                said = (lock["token"], now)
                until = time.strftime("%H:%M:%S", time.gmtime(time.time() + end - now))
                self._say(f"{answer['sentence']}; waiting until {until} UTC")
            time.sleep(min(_POLL, end - now, _POLL if lock["left"] is None else lock["left"] + 1.0))

    def _keep(self) -> None:
        wanted, process = self._wanted, self._wanted["holder"]["process"]
        self._keeper.start(
            wanted["deployment"], wanted["lease"], wanted["heartbeat"], Process(**process), self._renew_detached
        )

    def _renew_detached(self, progress: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """In the keeper: what the task had of the host (temporary directory, place to print) is the task's."""
        self._display._final_q = None
        self._connection._shell.tmpdir = None
        try:
            return self._ask(state="renewed", steal=False, progress=list(progress))
        finally:
            self.cleanup(force=True)

    def _renew(self, **changes: Any) -> Answer:
        answer = self._ask(**changes)
        problem = answer.get("lost") or answer.get("returned")
        return {**answer, "failed": True, "msg": problem} if problem else answer

    def _release(self) -> Answer:
        if not self._task.check_mode:
            self._keeper.stop()
        answer = self._ask_knowing_the_dead()
        if answer.get("how") not in (None, How.FREE.value, How.OWN.value):
            self._say(answer["sentence"])
        return answer

    def _look(self) -> Answer:
        note = self._keeper.note()
        if note is None:
            return self._ask()
        answer = self._renew(state="renewed", deployment=note.deployment)
        problem = answer.get("msg") or note.problem()
        return {**answer, "failed": True, "msg": problem} if problem else answer

    def _refusal(self, sentence: str) -> str:
        waited = f" {self._wanted['wait']} s were waited for it." if self._wanted["wait"] else ""
        do = "wait for the other run, or take it with steal: true and a reason"
        return f"{self._wanted['app']} is {sentence}.{waited} Do: {do}."

    def _say(self, sentence: str) -> None:
        self._display.display(f"  {self._keeper.host}: {sentence}")
