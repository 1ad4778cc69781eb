# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time, and a run that is told to end cleans up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build.interruption import ended_by_signals
from ansible_collections.greenlight.deploy.plugins.module_utils.build.locking import locked
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import NotReady

HOLD = """
import fcntl, sys
handle = open(sys.argv[1], "a")
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_lock_that_another_run_holds_is_waited_for_and_named(holder, tmp_path):
    with pytest.raises(NotReady, match=f"{tmp_path}/lock: another run has held it"), locked(tmp_path / "lock", 0.0):
        pytest.fail("two at once")


def test_the_lock_of_a_run_that_was_killed_is_free(holder, tmp_path):
    holder.kill()
    holder.communicate()
    with locked(tmp_path / "lock", 5.0):
        assert (tmp_path / "lock").exists()


def test_other_users_cannot_open_it(tmp_path):
    with locked(tmp_path / "folder" / "lock", 0.0):
        assert (tmp_path / "folder" / "lock").stat().st_mode & 0o777 == 0o600
    with locked(tmp_path / "folder" / "lock", 0.0):
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_end_a_run_by_an_exception(number):
    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ended, ended_by_signals():
        os.kill(os.getpid(), number)
    assert ended.value.code == 128 + number
    assert signal.getsignal(number) == before
