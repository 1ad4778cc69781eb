# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from ansible import constants

from ansible_collections.greenlight.deploy.plugins.action import deployment_lock
from ansible_collections.greenlight.deploy.plugins.action.deployment_lock import ActionModule
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import clock
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.keeping import begun
from ansible_collections.greenlight.deploy.plugins.plugin_utils import processes
from ansible_collections.greenlight.deploy.plugins.plugin_utils.keeper import Note

RUN = {"app": "shop", "state": "taken", "deployment": "d2"}
PROCESS = {"host": "ci", "boot": "c", "namespace": "ns", "pid": 12, "started": "5"}
LOCK = {"token": "t1", "process": PROCESS, "left": 100, "owner": "bob@ci"}
HELD = {"how": "held", "lock": LOCK, "sentence": "locked by bob@ci", "changed": False}
FREE = {"how": "free", "lock": {"token": "t2"}, "sentence": "locked for this run", "changed": True}


class Keeper:
    """Writes down what it is asked for."""

    def __init__(self, app, host):
        self.host = host
        self.told = []
        self.left = None

    def start(self, deployment, lease, heartbeat, run, renew):
        self.told.append(("start", deployment, lease, heartbeat, run.pid))
        self.renew = renew

    def stop(self):
        self.told.append("stop")

    def note(self):
        return self.left


@pytest.fixture
def controller(monkeypatch, tmp_path):
    """``controller(arguments)`` is the task's result; the host answers with the next of ``answers``."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    keeper = Keeper("shop", "edge")
    monkeypatch.setattr(deployment_lock, "Keeper", lambda app, host: keeper)
    seen = SimpleNamespace(answers=[FREE], asked=[], said=[], slept=[], keeper=keeper, now=0.0)

    def sleep(seconds):
        seen.slept.append(seconds)
        seen.now += seconds

    monkeypatch.setattr(deployment_lock.time, "monotonic", lambda: seen.now)
    monkeypatch.setattr(deployment_lock.time, "sleep", sleep)

    def ask(**arguments):
        seen.asked.append(arguments["module_args"])
        return dict(seen.answers.pop(0) if len(seen.answers) > 1 else seen.answers[0])

    def run(arguments, *, check=False):
        task = SimpleNamespace(args=arguments, async_val=0, check_mode=check, action="deployment_lock")
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
        plugin = ActionModule(task, connection, MagicMock(), MagicMock(), MagicMock())
        monkeypatch.setattr(plugin, "_execute_module", ask)
        monkeypatch.setattr(plugin, "_display", SimpleNamespace(display=seen.said.append, _final_q="the worker's"))
        monkeypatch.setattr(plugin, "cleanup", lambda *, force: seen.said.append("cleaned"))
        seen.plugin = plugin
        return plugin.run(task_vars={"inventory_hostname": "edge"})

    seen.run = run
    return seen


def test_it_is_kept_once_it_is_taken(controller):
    result = controller.run(RUN)
    assert (result["changed"], result.get("failed", False)) == (True, False)
    asked = controller.asked[0]
    assert (asked["holder"]["owner"], asked["dead"]) == (processes.user(), "")
    assert controller.keeper.told == [("start", "d2", 120, 30, asked["holder"]["process"]["pid"])]
    assert controller.said == []


def test_the_keeper_renews_with_what_is_its_own(controller):
    controller.run(RUN)
    controller.keeper.renew([{"phase": "migrate"}])
    assert (controller.asked[-1]["state"], controller.asked[-1]["progress"]) == ("renewed", [{"phase": "migrate"}])
    assert (controller.plugin._connection._shell.tmpdir, controller.plugin._display._final_q) == (None, None)
    assert controller.said == ["cleaned"]


def test_without_waiting_it_fails_at_once_and_says_who_has_it(controller):
    controller.answers = [HELD]
    result = controller.run({**RUN, "wait": 0})
    assert result["failed"]
    assert result["msg"].startswith("shop is locked by bob@ci. Do:")
    assert (controller.slept, controller.keeper.told) == ([], [])


def test_it_waits_says_so_and_gets_it(controller):
    controller.answers = [HELD, HELD, FREE]
    result = controller.run({**RUN, "wait": 60})
    assert "failed" not in result
    assert controller.slept == [15, 15]
    (said,) = controller.said
    assert said.startswith("  edge: locked by bob@ci; waiting until ")


def test_it_waits_no_longer_than_is_said_and_repeats_itself_each_minute(controller):
    controller.answers = [HELD]
    result = controller.run({**RUN, "wait": 130})
    assert result["failed"]
    assert "130 s were waited for it" in result["msg"]
    assert sum(controller.slept) == 130
    assert len(controller.said) == 3


def test_it_looks_again_when_the_lease_is_over(controller):
    controller.answers = [{**HELD, "lock": {**LOCK, "left": 3}}, FREE]
    controller.run(RUN)
    assert controller.slept == [4]


def test_another_holder_is_said_anew(controller):
    controller.answers = [HELD, {**HELD, "lock": {**LOCK, "token": "t9"}}, FREE]
    controller.run(RUN)
    assert len(controller.said) == 2


def test_a_holder_that_died_here_is_not_waited_for(controller, monkeypatch):
    monkeypatch.setattr(processes, "dead", lambda process: process.pid == PROCESS["pid"])
    controller.answers = [HELD, {**FREE, "how": "dead", "sentence": "took the lock over from bob@ci: dead"}]
    controller.run(RUN)
    assert controller.asked[1]["dead"] == "t1"
    assert controller.slept == []
    assert controller.said == ["  edge: took the lock over from bob@ci: dead"]


def test_a_run_that_has_ended_does_not_wait_on(controller, monkeypatch):
    parents = iter([1, 1, 2])
    monkeypatch.setattr(deployment_lock.os, "getppid", lambda: next(parents))
    controller.answers = [HELD]
    assert controller.run(RUN)["msg"] == "the run has ended"


def test_a_person_holds_it_without_a_keeper(controller):
    controller.run({**RUN, "deployment": "freeze", "heartbeat": 0, "lease": 0, "reason": "audit"})
    assert controller.asked[0]["holder"]["process"] is None
    assert controller.keeper.told == []


def test_check_mode_neither_waits_nor_keeps(controller):
    controller.answers = [HELD]
    assert controller.run(RUN, check=True)["failed"]
    controller.answers = [FREE]
    controller.run(RUN, check=True)
    controller.run({**RUN, "state": "released"}, check=True)
    assert (controller.slept, controller.keeper.told) == ([], [])


def test_a_module_that_fails_has_the_last_word(controller):
    controller.answers = [{"failed": True, "msg": "disk full"}]
    assert controller.run(RUN)["msg"] == "disk full"


def test_released_the_keeper_ends_first(controller):
    controller.answers = [{**FREE, "how": "own"}]
    controller.run({**RUN, "state": "released"})
    assert (controller.keeper.told, controller.said) == (["stop"], [])
    controller.answers = [HELD]
    assert "failed" not in controller.run({**RUN, "state": "released"})
    assert controller.said == ["  edge: locked by bob@ci"]


def test_a_renewal_of_what_is_lost_fails(controller):
    controller.answers = [{**HELD, "lost": "bob@ci took the lock over"}]
    result = controller.run({**RUN, "state": "renewed"})
    assert (result["failed"], result["msg"]) == (True, "bob@ci took the lock over")
    controller.answers = [{**HELD, "lost": "", "returned": "this proxy gave all clients back"}]
    assert controller.run({**RUN, "state": "renewed"})["msg"] == "this proxy gave all clients back"


def test_a_look_of_a_run_that_has_it_is_a_renewal_too(controller):
    controller.answers = [HELD]
    assert "failed" not in controller.run({"app": "shop"})
    assert controller.asked[0]["state"] == "present"
    kept = begun(120, 30, clock.uptime())
    controller.keeper.left = Note("edge", "shop", "d2", processes.process(1), kept)
    controller.answers = [{**FREE, "lost": "", "returned": ""}]
    assert "failed" not in controller.run({"app": "shop"})
    assert (controller.asked[1]["state"], controller.asked[1]["deployment"]) == ("renewed", "d2")
    controller.answers = [{**HELD, "lost": "bob@ci took the lock over", "returned": ""}]
    result = controller.run({"app": "shop"})
    assert (result["failed"], result["msg"]) == (True, "bob@ci took the lock over")


def test_a_look_fails_when_the_keeper_knows_of_something(controller):
    gone = begun(120, 30, clock.uptime()).gone("this proxy went home")
    controller.keeper.left = Note("edge", "shop", "d2", processes.process(1), gone)
    controller.answers = [{**FREE, "lost": "", "returned": ""}]
    assert controller.run({"app": "shop"})["msg"] == "this proxy went home"
