# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tools import demo_traffic, journey, user
from tools.console import Trouble

PLAYBOOK = """#!{python}
import os, sys
print(*sys.argv[1:], os.getcwd(), "ANSIBLE_CONFIG" in os.environ, flush=True)
sys.exit(4)
"""
CLIENTS = """
import json, pathlib, sys
print(json.dumps({"event": "second", "sockets": {"blue": 1, "green": 1}}), flush=True)
sys.stdin.readline()
pathlib.Path(RESULT).write_text('{"total": {"failed": 1}}')
print(json.dumps({"event": "end", "problems": ["1 failed"]}), flush=True)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose ansible-playbook says what it was told, and ends with status 4."""
    program = tmp_path / "ansible-playbook"
    program.write_text(PLAYBOOK.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setattr(user, "BIN", tmp_path)
    monkeypatch.setattr(user, "LAB", tmp_path)
    monkeypatch.setenv("ANSIBLE_CONFIG", "/elsewhere")
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def outcome_of(capsys, *words: str | Path):
    assert journey.main(["play", *map(str, words)]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_playbook_is_run_as_a_user_runs_it(project, tmp_path, capsys):
    log = tmp_path / "logs" / "one.log"
    outcome = outcome_of(capsys, project, log, "--", "site.yml", "-i", "production")
    assert (outcome["status"], outcome["traffic"]) == (4, None)
    assert log.read_text() == f"site.yml -i production {project} False\n"


def test_clients_are_at_work_around_it(project, tmp_path, capsys, monkeypatch):
    script = CLIENTS.replace("RESULT", repr(str(tmp_path / "demo-traffic.json")))
    monkeypatch.setattr(demo_traffic, "LOGS", tmp_path)
    monkeypatch.setattr(demo_traffic, "words", lambda aim, result: [sys.executable, "-c", script])
    monkeypatch.setattr(journey, "AFTER_SECONDS", 0)
    who = ["--clients", "sync.test", "10.0.0.1", "/ca.pem", "--sockets", "2"]
    outcome = outcome_of(capsys, project, tmp_path / "one.log", *who, "--", "site.yml")
    assert outcome["traffic"] == {
        "problems": ["1 failed"],
        "total": {"failed": 1},
        "sockets": {"blue": 1, "green": 1},
    }
    assert json.loads((tmp_path / "one.traffic.json").read_text()) == {"total": {"failed": 1}}


def test_sockets_that_never_open_are_no_journey(monkeypatch):
    monkeypatch.setattr(journey, "CONNECT_SECONDS", -1)
    silent = type("Silent", (), {"now": None})()
    with pytest.raises(Trouble, match="0 of 3 WebSockets"):
        journey.wait_for_sockets(silent, 3)
