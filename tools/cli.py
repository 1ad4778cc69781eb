# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sub-commands of ``./dev`` and what each of them needs before it starts."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.console import Trouble, say, warn
from tools.places import BIN, ROOT

Act = Callable[[list[str]], int]


@dataclass(frozen=True)
class Command:
    """One sub-command: what it is for, and what runs it with the words that follow its name."""

    purpose: str
    act: Act


def unit(words: list[str]) -> int:
    """Run the unit tests; ``words`` go to pytest."""
    from tools import environment

    environment.ensure()
    variables = {**os.environ, **environment.tool_environment()}
    os.chdir(ROOT)
    os.execve(BIN / "pytest", [str(BIN / "pytest"), *words], variables)


def lint(words: list[str]) -> int:
    """Run the named checks, or all."""
    from tools import checks, environment, log

    parser = argparse.ArgumentParser("./dev lint", description=COMMANDS["lint"].purpose)
    parser.add_argument("check", nargs="*", help=f"one of: {', '.join(checks.CHECKS)} (all)")
    names = parser.parse_args(words).check
    environment.ensure()
    return log.conclude(checks.lint(names))


COMMANDS = {
    "lint": Command("every static check, or those that are named", lint),
    "unit": Command("unit tests; further words go to pytest", unit),
}


def usage() -> str:
    """Return the overview that ``./dev`` alone prints."""
    lines = [f"  {name:<10} {command.purpose}" for name, command in COMMANDS.items()]
    return "\n".join(["usage: ./dev COMMAND ...", "", *lines])


def main(words: Sequence[str]) -> int:
    """Run the sub-command that ``words`` name and return its exit status."""
    if not words or words[0] in {"-h", "--help", "help"}:
        say(usage())
        return 0 if words else 2
    command = COMMANDS.get(words[0])
    if command is None:
        warn(f"dev: there is no command {words[0]}\n\n{usage()}")
        return 2
    try:
        return command.act(list(words[1:]))
    except Trouble as trouble:
        warn(f"dev: {trouble}")
        return 1
    except KeyboardInterrupt:
        warn("\ndev: stopped")
        return 130
    finally:
        sys.stdout.flush()
