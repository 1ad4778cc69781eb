# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules ``release`` and ``release_info``, run as Ansible runs them."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build import host
from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store, complete
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import ReleaseManifest
from ansible_collections.greenlight.deploy.plugins.module_utils.retire.host import Kept
from ansible_collections.greenlight.deploy.plugins.modules import release, release_info

SHA = "1a2b3c4" + "0" * 33
IDS = [f"2026112{day}T000000Z-1a2b3c4" for day in range(1, 5)]


@pytest.fixture
def arguments(tmp_path):
    store = Store("app", str(tmp_path))
    with store.lock():
        for each in IDS:
            store.release_path(each).mkdir()
            manifest = ReleaseManifest(each, SHA, "v1", "v1", "a" * 64, "key", "3.11.2", "then", "b" * 64, 1, 1)
            complete(store.release_path(each), manifest)
    return {"app": "app", "root": str(tmp_path)}


def built(arguments, **change):
    return {**arguments, "state": "built", "release": IDS[0], "sha": SHA, "archive": "/not/read", **change}


def test_what_is_there(run_module, arguments):
    found = run_module(release_info, {**arguments, "release": IDS[0]})
    assert [each["release"] for each in found["releases"]] == IDS
    assert found["complete"]
    assert found["free_bytes"] > 0
    assert not run_module(release_info, {**arguments, "release": "20260101T000000Z-1a2b3c4"})["complete"]


def test_what_a_host_lacks(run_module, arguments, monkeypatch):
    monkeypatch.setattr(
        host, "run", lambda *_words, **_more: "dpkg-query: no packages found\nbash installed\nnano config-files\n"
    )
    asked = {"packages": ["bash", "nano", "vim"], "user": "root"}
    found = run_module(release_info, {**arguments, **asked})
    assert found["missing"] == ["nano", "vim"]
    assert found["account"]["home"] == "/root"
    found = run_module(release_info, {**arguments, "user": "nobody-of-this-name"})
    assert (found["missing"], found["account"]) == ([], {})


def test_a_host_without_the_application(run_module, tmp_path):
    found = run_module(release_info, {"app": "app", "root": str(tmp_path / "nothing")})
    assert (found["releases"], found["environments"], found["half_built"]) == ([], [], [])


@pytest.mark.parametrize("state", ["built", "installed"])
def test_a_release_that_is_complete_is_left_alone(run_module, arguments, state):
    result = run_module(release, built(arguments, state=state))
    assert not result["changed"]
    assert result["environment"] == "key"


def test_its_id_is_not_given_to_another_commit(run_module, arguments):
    refused = run_module(release, built(arguments, sha="1a2b3c4" + "f" * 33))
    assert "exists with commit" in refused["msg"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"release": "latest"}, "not the id of a release"),
        ({"sha": "main"}, "not a commit id"),
        ({"app": "../etc"}, "name of an application"),
    ],
)
def test_wrong_options_are_refused(run_module, arguments, change, expected):
    refused = run_module(release, built(arguments, **change))
    assert refused.failed
    assert expected in refused["msg"]


def test_an_archive_is_needed(run_module, arguments):
    refused = run_module(release, {**arguments, "state": "installed", "release": IDS[0], "sha": SHA})
    assert "archive" in refused["msg"]


def test_what_a_killed_run_left_is_removed_by_the_next(run_module, arguments, tmp_path):
    half = tmp_path / "app" / "releases" / "20261130T000000Z-1a2b3c4"
    half.mkdir()
    result = run_module(release, built(arguments))
    assert result["removed"] == [str(half)]
    assert result["changed"]
    assert not half.exists()


def test_pruning_in_check_mode_removes_nothing(run_module, arguments):
    prune = {**arguments, "state": "pruned", "keep": 2}
    would = run_module(release, prune, check=True)
    assert would["changed"]
    assert len(would["removed"]) == 2
    assert len(run_module(release_info, arguments)["releases"]) == 4
    assert run_module(release, prune)["kept"] == IDS[2:]
    assert not run_module(release, prune)["changed"]


def test_a_release_that_was_left_lately_is_not_pruned(run_module, arguments, monkeypatch, tmp_path):
    (tmp_path / "state/app/retire").mkdir(parents=True)
    monkeypatch.setattr(release, "Kept", lambda app: Kept(app, tmp_path / "state"))
    Kept("app", tmp_path / "state").add(IDS[0], 4e9, 0.0)
    assert run_module(release, {**arguments, "state": "pruned", "keep": 1})["kept"] == [IDS[0], IDS[3]]


def test_check_mode_says_that_it_would_build(run_module, arguments):
    other = "20261125T000000Z-1a2b3c4"
    assert run_module(release, built(arguments, release=other), check=True)["changed"]


def test_a_short_secret_does_not_spoil_the_answer_and_none_is_shown(run_module, arguments):
    secrets = {"FLAG": "1", "NUMBER": 2, "KEY": "hunter2"}
    result = run_module(release, built(arguments, secrets=secrets, installer_environment={"PIP_INDEX_URL": "hunter3"}))
    assert result["release"] == IDS[0]
    shown = result["invocation"]["module_args"]
    assert set(shown["secrets"].values()) == {"********"}
    assert "hunter" not in str(result.answer)
