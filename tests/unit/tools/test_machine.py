# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess

import pytest

from tools import machine, program
from tools.console import Trouble

UBUNTU = 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nID_LIKE=debian\n'
FEDORA = 'PRETTY_NAME="Fedora Linux 41"\nID=fedora\n'


def test_os_release_is_read_without_its_quotes():
    assert machine.parse_os_release(UBUNTU)["PRETTY_NAME"] == "Ubuntu 24.04.1 LTS"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ID=debian\n", True),
        (UBUNTU, True),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', True),
        (FEDORA, False),
        ("", False),
    ],
)
def test_supported_systems(text, expected):
    assert machine.supported(machine.parse_os_release(text)) is expected


def test_an_unsupported_system_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "OS_RELEASE", tmp_path / "os-release")
    machine.OS_RELEASE.write_text(FEDORA)
    with pytest.raises(Trouble, match=r"Fedora Linux 41.*\n.*Debian 12"):
        machine.require_system()


def test_a_full_disk_is_named_with_what_is_needed(tmp_path):
    with pytest.raises(Trouble, match=r"GiB free, 1000000 GiB are needed"):
        machine.require_disk(tmp_path, 1e6)


def test_only_packages_that_are_installed_now_count(monkeypatch):
    shown = "git installed\npodman config-files\n"
    monkeypatch.setattr(
        machine, "attempt", lambda argv: subprocess.CompletedProcess(argv, 1, shown, "no packages found")
    )
    assert machine.missing_packages(["git", "podman", "runc"]) == ["podman", "runc"]


def test_without_root_and_without_sudo_it_says_so(monkeypatch):
    monkeypatch.setattr(program.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(program.shutil, "which", lambda _name: None)
    with pytest.raises(Trouble, match="there is no sudo"):
        program.as_root(["podman", "ps"])


def test_sudo_carries_the_environment_over(monkeypatch):
    monkeypatch.setattr(program.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(program.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert program.as_root(["podman", "ps"], {"A": "b"}) == ["sudo", "env", "A=b", "podman", "ps"]


def test_a_failing_program_is_quoted_with_the_end_of_what_it_said():
    with pytest.raises(Trouble, match=r"ended with status 3:\nlast words"):
        program.run(["sh", "-c", "echo last words >&2; exit 3"])


def test_a_missing_program_is_named():
    with pytest.raises(Trouble, match="no-such-program is not there"):
        program.run(["no-such-program"])
