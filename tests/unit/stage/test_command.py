# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tests.stage import command
from tests.stage.command import Command, reason
from tools.console import Trouble

SAID = """\
TASK [x] ***
ok: [localhost] =>
    msg: First deployment
fatal: [localhost]: FAILED! =>
    changed: false
    msg: 'Not deployed. watch green at 10 %: gl-edge in
        ''Watch'': green answered badly.'
ok: [gl-app1] =>
    msg: It could not be emptied.
"""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (SAID, "Not deployed. watch green at 10 %: gl-edge in ''Watch'': green answered badly."),
        ("    msg: Nothing to do: v1 already serves.\n", "Nothing to do: v1 already serves."),
        ("    msg: |-\n        two\n        lines\n", "two lines"),
        ("PLAY [x]\n", ""),
    ],
)
def test_the_sentence_that_says_how_it_ended(said, expected):
    assert reason(said) == expected


class Project:
    """A folder, and an ansible-playbook that does what its first word says."""

    def __init__(self, path):
        self.path = path

    def environment(self):
        return {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def run(tmp_path, monkeypatch):
    program = tmp_path / "ansible-playbook"
    program.write_text('#!/bin/sh\neval "$1"\n')
    program.chmod(0o755)
    monkeypatch.setattr(command, "BIN", tmp_path)
    monkeypatch.setattr(command, "LOGS", tmp_path)
    return lambda script: Command(Project(tmp_path), "run", [script], {})


def test_what_it_says_is_kept_with_its_time_and_its_status_is_told(run):
    with run("echo one; echo two; exit 3") as one:
        assert one.wait() == 3
    assert [line for _at, line in one.lines] == ["one", "two"]
    assert one.log.read_text().splitlines()[0].split()[1:] == ["one"]


def test_a_line_is_waited_for(run):
    with run("echo PLAY [Release]; read never < /dev/zero") as one:
        one.until(r"PLAY \[Release\]")
        assert one.running


def test_a_line_that_is_never_said_is_a_trouble(run):
    with run("echo other") as one, pytest.raises(Trouble, match=r"never said 'PLAY'.*\nother"):
        one.until("PLAY")


def test_it_is_killed_with_all_that_it_started(run):
    with run("sleep 60 & echo $!; wait") as one:
        one.until("[0-9]+")
        one.kill()
        assert not one.running
        assert one.seconds < 30


def test_one_that_takes_too_long_is_ended(run):
    with run("sleep 60") as one, pytest.raises(Trouble, match="still running after 0 s"):
        one.wait(seconds=0.01)
