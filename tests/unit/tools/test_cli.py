# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from tools import cli, optional
from tools.console import Trouble


@pytest.fixture
def ends_with(monkeypatch):
    """Let the command ``odd`` raise what a test wants to see handled."""

    def prepare(error: BaseException) -> None:
        def act(_words: list[str]) -> int:
            raise error

        monkeypatch.setitem(cli.COMMANDS, "odd", cli.Command("", act))

    return prepare


def test_alone_it_says_what_it_can_do(capsys):
    assert cli.main([]) == 2
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed for name in cli.COMMANDS)


def test_an_unknown_command_is_named(capsys):
    assert cli.main(["nothing"]) == 2
    assert "there is no command nothing" in capsys.readouterr().err


def test_trouble_is_told_without_a_traceback(ends_with, capsys):
    ends_with(Trouble("The disk is full.", "Free some space."))
    assert cli.main(["odd"]) == 1
    assert capsys.readouterr().err == "dev: The disk is full.\n  Free some space.\n"


def test_control_c_ends_quietly(ends_with, capsys):
    ends_with(KeyboardInterrupt())
    assert cli.main(["odd"]) == 130
    assert capsys.readouterr().err == "\ndev: stopped\n"


def test_a_command_of_its_own_module_is_listed_only_when_the_module_is_there(monkeypatch, capsys):
    monkeypatch.setitem(optional.MODULES, "demo", ("tools.console", "is there"))
    monkeypatch.setitem(optional.MODULES, "drill", ("tools.no_such_module", "is not there"))
    cli.main([])
    printed = capsys.readouterr().out
    assert "demo " in printed
    assert "drill" not in printed
