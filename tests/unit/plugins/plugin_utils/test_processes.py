# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.plugin_utils import processes


@pytest.fixture
def child():
    made = subprocess.Popen(["sleep", "60"])
    yield made
    made.kill()
    made.wait()


def test_one_that_lives_is_not_dead(child):
    assert not processes.dead(processes.process(child.pid))
    assert not processes.dead(processes.process(os.getpid()))


def test_one_that_was_killed_is_dead_also_before_it_is_buried(child):
    seen = processes.process(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.dead(seen)
    child.wait()
    assert processes.dead(seen)


def test_a_number_that_is_used_again_is_another_process(child):
    assert processes.dead(replace(processes.process(child.pid), started="1"))


@pytest.mark.parametrize("elsewhere", [{"host": "another"}, {"boot": "another"}, {"namespace": "another"}])
def test_of_one_on_another_machine_nothing_is_known(child, elsewhere):
    gone = replace(processes.process(child.pid), started="1")
    assert not processes.dead(replace(gone, **elsewhere))


def test_a_name_with_spaces_and_brackets_does_not_confuse(tmp_path):
    odd = tmp_path / "a ) 7 (b"
    odd.symlink_to("/bin/sleep")
    made = subprocess.Popen([odd, "60"])
    seen = processes.process(made.pid)
    made.kill()
    made.wait()
    assert seen.started.isdecimal()


def test_with_sudo_the_one_who_called_it_is_named(monkeypatch):
    monkeypatch.setenv("SUDO_USER", "ann")
    assert processes.user().startswith("ann@")
