# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import host

ADDRESSES = """\
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: eth0    inet 192.0.2.21/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever
2: eth0    inet6 2001:db8::21/64 scope global \\       valid_lft forever
3: eth1    inet 192.0.2.21/32 scope global eth1\\       valid_lft forever
"""


@pytest.fixture
def programs(monkeypatch):
    """What programs say, by their first word: a text, or a text and a status; others are not there."""
    said = {"ip": ADDRESSES}

    def run(command, **options):
        if command[0] not in said:
            raise FileNotFoundError(command[0])
        text, status = said[command[0]] if isinstance(said[command[0]], tuple) else (said[command[0]], 0)
        return SimpleNamespace(stdout=text, stderr="", returncode=status)

    monkeypatch.setattr(host.subprocess, "run", run)
    return said


def look(folder="/", requires=(), timeout=5.0):
    return host.describe("python3", requires, str(folder), timeout)


def test_each_address_once(programs):
    assert look()["addresses"] == ["127.0.0.1", "192.0.2.21", "2001:db8::21"]


def test_versions_are_the_first_number_that_a_program_says(programs):
    programs.update(
        python3="3.11.2\n",
        systemctl="systemd 252 (252.38-1~deb12u1)\n+PAM +AUDIT",
        nginx="nginx version: nginx/1.22.1\n",
    )
    seen = look()
    assert (seen["python"], seen["systemd"], seen["nginx"]) == ("3.11.2", "252", "1.22.1")


def test_a_program_that_is_not_there_or_fails_has_no_version(programs):
    programs["nginx"] = ("nginx: [emerg] 1.22.1 cannot start", 1)
    seen = look()
    assert (seen["python"], seen["systemd"], seen["nginx"]) == ("", "", "")


def test_the_folder_that_is_not_there_yet_has_the_room_of_its_parent(programs, tmp_path, monkeypatch):
    monkeypatch.setattr(host.shutil, "disk_usage", lambda place: SimpleNamespace(free={tmp_path: 7}[place]))
    assert look(tmp_path / "opt/shop")["disk_free"] == 7


def test_each_endpoint_says_whether_it_accepts(programs):
    with socket.create_server(("127.0.0.1", 0)) as accepting, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        good, refused = (f"tcp://127.0.0.1:{one.getsockname()[1]}" for one in (accepting, bound))
        answers = look(requires=[refused, good])["requires"]
    assert answers == [{"endpoint": refused, "error": "Connection refused"}, {"endpoint": good, "error": ""}]


def test_a_name_that_does_not_resolve_is_an_answer_too(programs, monkeypatch):
    def resolve(*words, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(host.socket, "getaddrinfo", resolve)
    answers = look(requires=["tcp://database.invalid:5432"])["requires"]
    assert answers == [{"endpoint": "tcp://database.invalid:5432", "error": "Name or service not known"}]


def test_programs_of_the_administrator_are_found(monkeypatch):
    """nginx lies in /usr/sbin, which is on no path of an ordinary login."""
    monkeypatch.setenv("PATH", "/usr/bin")
    paths = []

    def run(command, **options):
        paths.append(options.get("env", {}).get("PATH", "").split(":"))
        return SimpleNamespace(stdout=ADDRESSES, stderr="", returncode=0)

    monkeypatch.setattr(host.subprocess, "run", run)
    look()
    assert ["/usr/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"] in paths
