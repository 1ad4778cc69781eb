# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys

import pytest

from tools import user
from tools.user import Playbook, environment, task_name

PLAYBOOK = """#!{python}
import os, sys, time
print("TASK [role : Do it] ***", flush=True)
print(*sys.argv[1:], os.getcwd(), "ANSIBLE_CONFIG" in os.environ, os.environ["MORE"], flush=True)
time.sleep(float(sys.argv[1]))
sys.exit(4)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project whose ansible-playbook says what it was told, waits as long as its first word says, ends with 4."""
    program = tmp_path / "ansible-playbook"
    program.write_text(PLAYBOOK.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setattr(user, "BIN", tmp_path)
    monkeypatch.setattr(user, "LAB", tmp_path)
    monkeypatch.setenv("ANSIBLE_CONFIG", "/elsewhere")
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("TASK [greenlight.deploy.cutover : Watch green at 10 %] ********\n", "Watch green at 10 %"),
        ("TASK [Say how it ended] ***\n", "Say how it ended"),
        ("RUNNING HANDLER [web_proxy : Reload nginx] ***", "Reload nginx"),
        ("TASK [greenlight.deploy.smoke : Validating arguments against arg spec 'main' - Try out] ***", ""),
        ("ok: [gl-app1]\n", ""),
        ("PLAY [Release] ***\n", ""),
    ],
)
def test_the_task_is_read_from_ansibles_output(line, name):
    assert task_name(line) == name


def test_the_users_environment_has_not_the_checkouts_settings(monkeypatch, tmp_path):
    monkeypatch.setattr(user, "LAB", tmp_path)
    monkeypatch.setenv("MOLECULE_FILE", "here")
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", "here")
    assert not {"ANSIBLE_COLLECTIONS_PATH", "MOLECULE_FILE"} & environment().keys()
    assert environment(ANSIBLE_COLLECTIONS_PATH="there")["ANSIBLE_COLLECTIONS_PATH"] == "there"


def test_what_a_playbook_says_is_kept(project, tmp_path):
    playbook = Playbook(project, ["0", "site.yml"], tmp_path / "logs" / "one.log", MORE="more")
    assert playbook.wait(interval=0.1) == 4
    assert playbook.task == "Do it"
    assert playbook.last_words(1) == f"0 site.yml {project} False more"


def test_a_playbook_ends_with_us(project, tmp_path):
    playbook = Playbook(project, ["60"], tmp_path / "one.log", MORE="")

    def leave(_task):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        playbook.wait(leave)
    assert playbook._process.poll() is not None
