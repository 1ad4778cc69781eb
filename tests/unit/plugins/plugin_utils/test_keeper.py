# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from ansible import constants

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import clock
from ansible_collections.greenlight.deploy.plugins.plugin_utils import keeper as module
from ansible_collections.greenlight.deploy.plugins.plugin_utils import processes
from ansible_collections.greenlight.deploy.plugins.plugin_utils.keeper import Keeper, NotKept, problems

HERE = processes.process(os.getpid())


@pytest.fixture
def keeper(tmp_path, monkeypatch):
    """The keeper of one lock, in a hurry."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(module, "_TICK", 0.01)
    made = Keeper("shop", "edge")
    yield made
    made.stop()


@pytest.fixture
def renewals(tmp_path):
    """``renewals(answer)`` is a renewal that leaves a line in ``renewals.log``."""
    log = tmp_path / "renewals"

    def renewal(answer=None, seconds=0):
        def renew(progress):
            with log.open("a") as handle:
                handle.write(f"{[begun['phase'] for begun in progress]}\n")
            time.sleep(seconds)
            return answer or {"lost": ""}

        return renew

    renewal.log = log
    return renewal


def wait(true):
    for _attempt in range(500):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("it does not come true")


def count(log):
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_it_renews_until_it_is_stopped(keeper, renewals):
    keeper.start("d1", 0, 0, HERE, renewals())
    process = keeper.note().keeper
    wait(lambda: count(renewals.log) > 1)
    assert problems() == []
    keeper.stop()
    assert processes.dead(process)
    assert keeper.note() is None
    keeper.stop()


def test_it_ends_with_the_run_whatever_ended_that(keeper, renewals):
    with subprocess.Popen(["sleep", "60"]) as run:
        keeper.start("d1", 0, 0, processes.process(run.pid), renewals())
        process = keeper.note().keeper
        run.kill()
    wait(lambda: processes.dead(process))


def test_an_answer_that_never_comes_does_not_outlive_the_run(keeper, renewals):
    with subprocess.Popen(["sleep", "60"]) as run:
        keeper.start("d1", 0, 0, processes.process(run.pid), renewals(seconds=60))
        process = keeper.note().keeper
        wait(lambda: count(renewals.log) == 1)
        run.kill()
    wait(lambda: processes.dead(process))


def test_it_holds_nothing_that_somebody_waits_for(keeper, renewals):
    read, write = os.pipe()
    keeper.start("d1", 0, 1, HERE, renewals())
    os.close(write)
    assert os.read(read, 1) == b""
    os.close(read)
    files = Path("/proc", str(keeper.note().keeper.pid), "fd")
    held = {str(one.readlink()) for one in files.iterdir()}
    assert not [name for name in held if name.startswith(("pipe:", "socket:", "/dev/pts", "/dev/tty"))]
    assert {str((files / str(number)).readlink()) for number in (0, 1, 2)} == {os.devnull}


def test_it_is_nobodys_child(keeper, renewals):
    keeper.start("d1", 0, 1, HERE, renewals())
    with pytest.raises(ChildProcessError):
        os.waitpid(keeper.note().keeper.pid, os.WNOHANG)


def test_a_second_start_for_the_same_deployment_leaves_it_alone(keeper, renewals):
    keeper.start("d1", 0, 1, HERE, renewals())
    first = keeper.note().keeper
    keeper.start("d1", 0, 1, HERE, renewals())
    assert keeper.note().keeper == first
    keeper.start("d2", 0, 1, HERE, renewals())
    assert keeper.note().keeper != first
    assert processes.dead(first)


def test_a_lock_that_was_lost_is_told_and_not_renewed(keeper, renewals):
    keeper.start("d1", 0, 0, HERE, renewals({"lost": "bob@ci took the lock over for: urgent"}))
    wait(problems)
    assert problems() == ["edge: bob@ci took the lock over for: urgent"]
    wait(lambda: processes.dead(keeper.note().keeper))
    assert count(renewals.log) == 1


def test_what_the_switch_did_is_told_and_the_lock_renewed_on(keeper, renewals):
    keeper.start("d1", 0, 0, HERE, renewals({"lost": "", "returned": "this proxy went home"}))
    wait(problems)
    seen = count(renewals.log)
    wait(lambda: count(renewals.log) > seen)
    assert problems() == ["edge: this proxy went home"]


@pytest.mark.parametrize("answer", [{"failed": True, "msg": "disk full"}, RuntimeError("unreachable")])
def test_a_renewal_that_fails_is_tried_again_and_told_when_the_lease_is_over(keeper, answer, monkeypatch, tmp_path):
    def renew(progress):
        with (tmp_path / "tried").open("a") as handle:
            handle.write(f"{len(progress)}\n")
        if isinstance(answer, Exception):
            raise answer
        return answer

    keeper.start("d1", 120, 0, HERE, renew)
    wait(lambda: count(tmp_path / "tried") > 2)
    assert problems() == []
    late = clock.uptime() + 121
    monkeypatch.setattr(clock, "uptime", lambda: late)
    (said,) = problems()
    assert "edge: its lock could not be renewed for 12" in said
    assert said.endswith(("disk full", "unreachable"))


def test_a_keeper_that_somebody_killed_is_told(keeper, renewals):
    keeper.start("d1", 120, 1, HERE, renewals())
    os.kill(keeper.note().keeper.pid, 9)
    wait(lambda: problems() == ["edge: the process that renews its lock has ended"])


def test_one_that_cannot_begin_is_told(keeper, renewals, monkeypatch, tmp_path):
    keeper.path = tmp_path / "missing/file"
    with pytest.raises(NotKept):
        keeper.start("d1", 120, 1, HERE, renewals())


def test_what_the_run_begins_reaches_the_host_at_once_and_once(keeper, renewals):
    module.tell({"phase": "keep others out"})
    keeper.start("d1", 120, 30, HERE, renewals())
    for phase in ("release", "migrate"):
        module.tell({"phase": phase})
    wait(lambda: "migrate" in renewals.log.read_text() if renewals.log.exists() else False)
    module.tell({"phase": "smoke"})
    wait(lambda: "smoke" in renewals.log.read_text())
    said = renewals.log.read_text()
    assert "keep others out" not in said
    assert [said.count(phase) for phase in ("release", "migrate", "smoke")] == [1, 1, 1]


def test_what_a_host_did_not_get_to_know_it_gets_the_next_time(keeper, renewals, tmp_path):
    def renew(progress):
        with renewals.log.open("a") as handle:
            handle.write(f"{[begun['phase'] for begun in progress]}\n")
        return {"failed": True, "msg": "unreachable"} if count(renewals.log) == 1 else {"lost": ""}

    keeper.start("d1", 120, 1, HERE, renew)
    module.tell({"phase": "release"})
    wait(lambda: count(renewals.log) > 2)
    assert renewals.log.read_text().splitlines()[:3] == ["['release']", "['release']", "[]"]


def test_what_is_being_written_is_taken_along_when_it_is_whole(keeper, renewals, tmp_path):
    keeper.start("d1", 120, 0, HERE, renewals())
    progress = tmp_path / "greenlight-progress.jsonl"
    progress.write_text('{"phase": "rel')
    seen = count(renewals.log)
    wait(lambda: count(renewals.log) > seen + 1)
    assert "rel" not in renewals.log.read_text()
    progress.write_text('{"phase": "release"}\n')
    wait(lambda: "release" in renewals.log.read_text())
    assert problems() == []
