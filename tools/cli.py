# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sub-commands of ``./dev`` and what each of them needs before it starts."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.console import Trouble, say, warn
from tools.ending import end_with_children
from tools.optional import MODULES, exists, load
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


def example(words: list[str]) -> int:
    """Make the example application's git repository."""
    from tools import example as examples

    argparse.ArgumentParser("./dev example", description=COMMANDS["example"].purpose).parse_args(words)
    repository = examples.ensure("mobile_sync")
    say(f"{repository}\n{examples.refs(repository)}")
    return 0


def lint(words: list[str]) -> int:
    """Run the named checks, or all."""
    from tools import checks, environment, log

    parser = argparse.ArgumentParser("./dev lint", description=COMMANDS["lint"].purpose)
    parser.add_argument("check", nargs="*", help=f"one of: {', '.join(checks.CHECKS)} (all)")
    names = parser.parse_args(words).check
    environment.ensure()
    return log.conclude(checks.lint(names))


def up(words: list[str]) -> int:
    """Bring lab hosts up."""
    from tools import environment, hosts, image, lab

    parser = argparse.ArgumentParser("./dev up", description=COMMANDS["up"].purpose)
    parser.add_argument("host", nargs="*", help=f"of {', '.join(hosts.HOSTS)} ({' '.join(hosts.USUAL)})")
    parser.add_argument(
        "--debian", type=int, choices=sorted(image.SUITES), help="release of the hosts (as it is, or 12)"
    )
    parser.add_argument("--fresh", action="store_true", help="make the hosts anew, whatever is on them")
    options = parser.parse_args(words)
    chosen = hosts.find(options.host)
    environment.link_collection()
    lab.up(chosen, options.debian, fresh=options.fresh)
    say(f"up: {' '.join(host.name for host in chosen)}")
    return 0


def down(words: list[str]) -> int:
    """Remove lab hosts."""
    from tools import hosts, lab

    parser = argparse.ArgumentParser("./dev down", description=COMMANDS["down"].purpose)
    parser.add_argument("host", nargs="*", help="these only (all, and their network)")
    parser.add_argument("--images", action="store_true", help="remove the images too")
    options = parser.parse_args(words)
    lab.down([host.name for host in hosts.find(options.host)] if options.host else [], images=options.images)
    return 0


def hosts(words: list[str]) -> int:
    """List the lab's hosts."""
    from tools import lab

    argparse.ArgumentParser("./dev hosts", description=COMMANDS["hosts"].purpose).parse_args(words)
    say(lab.table())
    return 0


def ssh(words: list[str]) -> int:
    """Open a shell on a lab host or run words there."""
    from tools import hosts, lab

    if not words or words[0].startswith("-"):
        raise Trouble("./dev ssh needs a host.", f"One of {', '.join(hosts.HOSTS)}; further words are run there.")
    (host,) = hosts.find(words[:1])
    return lab.ssh(host, words[1:])


def empty(words: list[str]) -> int:
    """Throw away what applications stored on the lab's data host."""
    from tools import hosts, lab

    argparse.ArgumentParser("./dev empty", description=COMMANDS["empty"].purpose).parse_args(words)
    lab.empty_databases(hosts.HOSTS["gl-data"])
    return 0


def services(words: list[str]) -> int:
    """Run the tests that need real services."""
    from tools import environment, log, on_host

    parser = argparse.ArgumentParser("./dev services", description=COMMANDS["services"].purpose)
    parser.add_argument("stage", nargs="*", help=f"of {', '.join(on_host.STAGES)} (all)")
    chosen = on_host.choose(parser.parse_args(words).stage)
    environment.link_collection()
    return log.conclude(on_host.test(chosen))


def molecule(words: list[str]) -> int:
    """Run molecule scenarios on the lab's hosts."""
    from tools import environment, log, scenarios

    parser = argparse.ArgumentParser("./dev molecule", description=COMMANDS["molecule"].purpose)
    parser.add_argument("scenario", nargs="*", help=f"of {', '.join(scenarios.known())} (all)")
    chosen = scenarios.choose(parser.parse_args(words).scenario)
    environment.ensure()
    return log.conclude(scenarios.test(chosen))


def readmes(words: list[str]) -> int:
    """Write every role's README from its argument specification."""
    from tools import checks, environment, log

    argparse.ArgumentParser("./dev readmes", description=COMMANDS["readmes"].purpose).parse_args(words)
    environment.ensure()
    with tempfile.TemporaryDirectory(prefix="greenlight-roles-") as temporary:
        for role, text in checks.write_readmes(Path(temporary), log.Log("readmes")).items():
            shutil.copyfile(text, ROOT / "roles" / role / "README.md")
    return 0


def test(words: list[str]) -> int:
    """Run everything."""
    from tools import suite

    argparse.ArgumentParser("./dev test", description=COMMANDS["test"].purpose).parse_args(words)
    return suite.everything()


COMMANDS = {
    "up": Command("bring the lab's hosts up (the four usual ones, or those that are named)", up),
    "hosts": Command("list the lab's hosts", hosts),
    "ssh": Command("open a shell on a lab host, or run the further words there", ssh),
    "empty": Command("throw away what applications stored in the lab's databases", empty),
    "example": Command("make the example application's git repository and list its versions", example),
    "down": Command("remove the lab's hosts", down),
    "lint": Command("every static check, or those that are named", lint),
    "services": Command("tests with a real nginx, PostgreSQL and Redis, on the lab host that has them all", services),
    "molecule": Command("molecule scenarios, all or those that are named, on fresh lab hosts", molecule),
    "readmes": Command("write each role's README from its argument_specs.yml", readmes),
    "unit": Command("unit tests; further words go to pytest", unit),
    "test": Command("all of it: lint, unit, molecule and what else must hold", test),
}


def commands() -> dict[str, Command]:
    """Return every sub-command that there is in this checkout."""
    found = {name: Command(purpose, load(name)) for name, (_, purpose) in MODULES.items() if exists(name)}
    return {**found, **COMMANDS}


def usage() -> str:
    """Return the overview that ``./dev`` alone prints."""
    lines = [f"  {name:<10} {command.purpose}" for name, command in commands().items()]
    return "\n".join(["usage: ./dev COMMAND ...", "", *lines])


def main(words: Sequence[str]) -> int:
    """Run the sub-command that ``words`` name and return its exit status."""
    if not words or words[0] in {"-h", "--help", "help"}:
        say(usage())
        return 0 if words else 2
    command = commands().get(words[0])
    if command is None:
        warn(f"dev: there is no command {words[0]}\n\n{usage()}")
        return 2
    end_with_children()
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
