# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs that are run: deadline, output, secrets, children."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Account, Context, NoSpace, run
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed, InvalidInput

HERE = Context(Path("/"))


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_both_streams_come_back():
    assert run(python("import sys; print('out', flush=True); print('err', file=sys.stderr)"), HERE) == "out\nerr\n"


def test_the_environment_is_the_given_one_alone():
    context = Context(Path("/"), {"GIVEN": "yes"})
    names = run(python("import os; print(sorted(os.environ))"), context)
    assert "GIVEN" in names
    assert "HOME" not in names


def test_a_status_is_an_error_with_the_last_lines():
    with pytest.raises(CommandFailed) as failed:
        run(python("print('why'); raise SystemExit(3)"), HERE, what="build")
    assert str(failed.value).startswith("build: ended with status 3: ")
    assert "\nwhy\n" in str(failed.value)


def test_some_statuses_may_be_allowed():
    assert run(python("raise SystemExit(1)"), HERE, allowed=(0, 1)) == ""


def test_secrets_are_in_neither_command_nor_output():
    context = Context(Path("/"), {"KEY": "hunter2"}, secrets=("hunter2",))
    with pytest.raises(CommandFailed) as failed:
        run(python("import os; raise SystemExit('no ' + os.environ['KEY'])"), context)
    assert "hunter2" not in str(failed.value)
    assert "no ********" in str(failed.value)


def test_a_deadline_ends_the_children_too(tmp_path):
    child = f"import time; time.sleep(1); open({str(tmp_path / 'lived')!r}, 'w')"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    began = time.monotonic()
    with pytest.raises(CommandFailed, match="still ran after"):
        run(python(code), Context(Path("/"), timeout=0.3))
    assert time.monotonic() - began < 30
    assert not (tmp_path / "lived").exists()


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(CommandFailed, match="could not be started: No such file or directory: /nowhere/x"):
        run(["/nowhere/x"], HERE)


def test_a_signal_is_told():
    with pytest.raises(CommandFailed, match="killed by signal 15"):
        run(python("import os; os.kill(os.getpid(), 15)"), HERE)


def test_a_full_disk_is_an_error_of_its_own():
    with pytest.raises(NoSpace, match="free space"):
        run(python("raise SystemExit('[Errno 28] No space left on device')"), HERE)


def test_files_are_made_for_all_to_read(tmp_path):
    before = os.umask(0o077)
    try:
        run(python("open('made', 'w')"), Context(tmp_path))
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o644


def test_an_account_that_is_not_there_is_named():
    with pytest.raises(InvalidInput, match="there is no user nobody-of-that-name"):
        Account.of("nobody-of-that-name")
