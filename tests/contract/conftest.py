# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs small playbooks with a real ansible-playbook, on hosts that are this machine and one that refuses to be reached.

``ANSIBLE_PLAYBOOK`` names other programs than the one beside this Python, several with ``:`` between them;
``./dev contract`` makes and names them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BESIDE = str(Path(sys.executable).with_name("ansible-playbook"))
PROGRAMS = [str(Path(program).absolute()) for program in os.environ.get("ANSIBLE_PLAYBOOK", BESIDE).split(":")]
# Nothing listens on port 1: the host is lost at the first task that needs a connection.
INVENTORY = """\
localhost ansible_connection=local
a ansible_connection=local
b ansible_connection=local
lost ansible_connection=ssh ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args='-F none'

[proxies]
b

[apps]
a
b

[all:vars]
ansible_python_interpreter={python}
"""
_MARK = re.compile(r"MARK (\w+) (\S+) END")
_RECAP = re.compile(r"^(\w+) +: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """How a playbook ended, and what it said."""

    status: int
    said: str

    @cached_property
    def marks(self) -> dict[str, list[str]]:
        """The hosts that came to each mark."""
        found: dict[str, list[str]] = {}
        for host, mark in _MARK.findall(self.said):
            found.setdefault(mark, []).append(host)
        return {mark: sorted(hosts) for mark, hosts in found.items()}

    @cached_property
    def recap(self) -> dict[str, dict[str, int]]:
        """The recap by host."""
        _before, _line, end = self.said.partition("PLAY RECAP")
        return {
            host: {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", counts)}
            for host, counts in _RECAP.findall(end)
        }


@pytest.fixture(params=PROGRAMS, ids=lambda program: Path(program).parents[1].name.lstrip("."))
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Run]:
    """Call ``play(text)`` to run a playbook on ``localhost``, ``a``, ``b`` and ``lost``.

    ``mark(name)`` in this module is a task that leaves a mark for each host that comes to it.
    """

    def run(text: str) -> Run:
        (tmp_path / "hosts").write_text(INVENTORY.format(python=sys.executable))
        (tmp_path / "play.yml").write_text(text)
        done = subprocess.run(
            [request.param, "-i", "hosts", "play.yml"],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "LANG": "C.UTF-8",
                "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
                "ANSIBLE_ROLES_PATH": str(Path(__file__).parent / "roles"),
                "ANSIBLE_RETRY_FILES_ENABLED": "false",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(done.returncode, done.stdout + done.stderr)

    return run
