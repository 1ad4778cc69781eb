# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import getpass
import sys

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store, complete
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import ReleaseManifest
from ansible_collections.greenlight.deploy.plugins.modules import release_command

ID = "20261122T124500Z-1a2b3c4"
SHOW = "import os; print(os.getcwd(), *(os.environ.get(n) for n in ('GREENLIGHT_COLOUR', 'PGAPPNAME', 'MODE', 'KEY')))"


@pytest.fixture
def arguments(tmp_path):
    store = Store("shop", str(tmp_path))
    with store.lock():
        path = store.release_path(ID)
        (path / "venv/bin").mkdir(parents=True)
        (path / "venv/bin/python").symlink_to(sys.executable)
        complete(path, ReleaseManifest(ID, "1a2b3c4" + "0" * 33, "v2", "v2", "a", "key", "3.11", "then", "b", 1, 1))
    return {
        "app": "shop", "root": str(tmp_path), "release": ID, "colour": "green", "user": getpass.getuser(),
        "environment": {"MODE": "warm"}, "secrets": {"KEY": "hush-hush"}, "commands": [["python", "-c", SHOW]],
    }  # fmt: skip


def test_a_command_runs_as_the_application_does(run_module, arguments, tmp_path):
    result = run_module(release_command, arguments)
    assert result["changed"]
    [one] = result["results"]
    assert one["said"] == f"{tmp_path}/shop/releases/{ID} green shop-green-{ID} warm ********"
    assert "hush-hush" not in str(result.answer)


def test_the_first_that_fails_ends_it_and_keeps_the_secret(run_module, arguments, tmp_path):
    fails = ["python", "-c", "import os, sys; sys.exit(os.environ['KEY'])"]
    never = ["python", "-c", f"open('{tmp_path}/never', 'w')"]
    result = run_module(release_command, {**arguments, "commands": [fails, never]})
    assert result.failed
    assert "command in the release: ended with status 1" in result["msg"]
    assert "hush-hush" not in str(result.answer)
    assert not (tmp_path / "never").exists()


def test_check_mode_runs_nothing(run_module, arguments, tmp_path):
    touch = ["python", "-c", f"open('{tmp_path}/never', 'w')"]
    result = run_module(release_command, {**arguments, "commands": [touch]}, check=True)
    assert (result["changed"], result["results"]) == (True, [])
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"release": "20261122T124501Z-1a2b3c4"}, "is not complete on this host"),
        ({"user": "nobody-of-this-name"}, "there is no user"),
        ({"commands": [["no-such-program"]]}, "could not be started"),
    ],
)
def test_what_cannot_be_run_is_said(run_module, arguments, change, said):
    assert said in run_module(release_command, {**arguments, **change})["msg"]
