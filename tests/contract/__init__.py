# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``./dev contract``: what the verdict for the fleet rests on, asked of each supported ansible-core."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tools import environment
from tools.console import say, step
from tools.places import BIN, CACHE, ROOT
from tools.program import attempt, run

#: Each with the oldest Python that it runs on.
CORES = {"2.19": (3, 11), "2.20": (3, 12), "2.21": (3, 12)}
PYTHONS = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")


def python_for(oldest: tuple[int, int]) -> str | None:
    """An interpreter on the path that is new enough; one that does not start is passed over."""
    condition = f"import ensurepip, sys; sys.exit(sys.version_info < {oldest})"
    folders = os.environ["PATH"].split(":")
    found = [path for name in PYTHONS for folder in folders if (path := shutil.which(name, path=folder))]
    return next((path for path in found if attempt([path, "-c", condition]).returncode == 0), None)


def core(version: str) -> Path | None:
    """The ``ansible-playbook`` of ansible-core ``version``, in an environment of its own; None without a Python."""
    folder = CACHE / "cores" / version
    program = folder / "bin" / "ansible-playbook"
    python = python_for(CORES[version])
    if python and not program.exists():
        with step(f"ansible-core {version}"):
            run([python, "-m", "venv", "--clear", folder])
            run([folder / "bin" / "pip", "install", "--quiet", f"ansible-core=={version}.*"])
    return program if python else None


def main(words: Sequence[str] | None = None) -> int:
    """Run the contract tests with each core; 0 when all of them keep it."""
    parser = argparse.ArgumentParser("./dev contract", description=__doc__)
    parser.add_argument("core", nargs="*", help=f"of {', '.join(CORES)} (all)")
    chosen = parser.parse_args(words).core or list(CORES)
    if unknown := set(chosen) - set(CORES):
        parser.error(f"no ansible-core {', '.join(sorted(unknown))}; there are {', '.join(CORES)}")
    environment.ensure()
    programs = {version: core(version) for version in chosen}
    for version in [version for version, program in programs.items() if program is None]:
        say(f"ansible-core {version} is left out: it needs Python {'.'.join(map(str, CORES[version]))} or newer.")
    made = [str(program) for program in programs.values() if program]
    if not made:
        return 1
    variables = {**os.environ, **environment.tool_environment(), "ANSIBLE_PLAYBOOK": ":".join(made)}
    return subprocess.run([BIN / "pytest", "tests/contract"], cwd=ROOT, env=variables, check=False).returncode
