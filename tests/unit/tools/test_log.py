# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tools import log
from tools.console import Trouble


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    monkeypatch.setattr(log, "LOGS", tmp_path / ".lab" / "logs")
    monkeypatch.setattr(log, "ROOT", tmp_path)
    return log.LOGS


def test_a_check_that_passes_takes_one_line(capsys, logs):
    outcome = log.timed("some check", lambda one: one.run(["echo", "all of it"]))
    assert outcome.passed
    assert capsys.readouterr().out.split() == ["ok", "some", "check", f"{outcome.seconds:.1f}", "s"]
    assert (logs / "some-check.log").read_text() == "$ echo 'all of it'\nall of it\n"


def test_a_check_that_fails_shows_the_end_of_its_log(capsys):
    outcome = log.timed("x", lambda one: one.run(["sh", "-c", "seq 100; exit 2"]))
    assert not outcome.passed
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[0] == "FAILED"
    assert printed[-2:] == ["      | 100", "      | [status 2; all of it in .lab/logs/x.log]"]
    assert "      | 1" not in printed


def test_marked_errors_are_shown_instead_of_the_last_lines():
    assert log.why("ERROR: bad\nlong talk\n") == "ERROR: bad"


def test_anything_that_goes_wrong_in_a_check_fails_that_check_alone(capsys):
    def broken(_log):
        raise Trouble("the disk is full")

    outcomes = [log.timed("one", broken), log.timed("two", lambda _log: None)]
    assert log.conclude(outcomes) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 1 failed"


def test_nothing_tested_is_not_success(capsys):
    assert log.conclude([]) == 1
