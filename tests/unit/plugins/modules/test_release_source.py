# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ``release_source``, run as Ansible runs it."""

from __future__ import annotations

import subprocess

import pytest

from ansible_collections.greenlight.deploy.plugins.modules import release_source

LOCK = "redis==7.4.1 --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture
def arguments(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "requirements.lock").write_text(LOCK)
    author = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], [*author, "commit", "-qm", "one"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    subprocess.run(["git", "-C", str(folder), *author, "tag", "-am", "one", "v1.0.0"], check=True)
    return {"repository": str(folder), "ref": "v1.0.0", "cache": str(tmp_path / "cache")}


def test_the_first_run_makes_the_archive_and_the_second_changes_nothing(run_module, arguments):
    first = run_module(release_source, arguments)
    again = run_module(release_source, arguments)
    assert first["changed"]
    assert not again["changed"]
    assert first["archive_sha256"] == again["archive_sha256"]
    assert first["release"].endswith("-" + first["short_sha"])
    assert (first["kind"], first["version"]) == ("tag", "v1.0.0")


def test_the_lock_file_is_read_on_the_controller(run_module, arguments):
    found = run_module(release_source, {**arguments, "requirements": "requirements.lock"})
    assert found["lock"]["packages"] == {"redis": "7.4.1"}
    assert found["lock"]["sha256"].startswith(found["lock"]["key"])


def test_versions_that_do_not_go_together_are_warned_of(run_module, arguments, tmp_path):
    path = tmp_path / "repository" / "requirements.lock"
    path.write_text("".join(f"{name} --hash=sha256:{'0' * 64}\n" for name in ("redis==8.1.0", "channels_redis==4.3.0")))
    author = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run(["git", "-C", arguments["repository"], *author, "commit", "-qam", "two"], check=True)
    found = run_module(release_source, {**arguments, "ref": "main", "requirements": "requirements.lock"})
    assert "idle" in str(found["warnings"])


def test_a_lock_file_that_is_missing_is_refused(run_module, arguments):
    refused = run_module(release_source, {**arguments, "requirements": "other.lock"})
    assert refused.failed
    assert "has no file other.lock" in refused["msg"]


def test_check_mode_writes_nothing(run_module, arguments, tmp_path):
    found = run_module(release_source, {**arguments, "requirements": "requirements.lock"}, check=True)
    assert not found["changed"]
    assert (found["archive"], found["lock"], len(found["sha"])) == ("", {}, 40)
    assert not (tmp_path / "cache").exists()


def test_a_release_is_used_again_only_for_its_own_commit(run_module, arguments):
    sha = run_module(release_source, arguments)["sha"]
    own, foreign = f"20261122T124500Z-{sha[:7]}", "20261122T124500Z-0000000"
    assert run_module(release_source, {**arguments, "release": own})["release"] == own
    assert "does not belong to commit" in run_module(release_source, {**arguments, "release": foreign})["msg"]


def test_a_commit_is_called_by_its_short_name(run_module, arguments):
    sha = run_module(release_source, arguments)["sha"]
    assert run_module(release_source, {**arguments, "ref": sha})["version"] == sha[:7]


def test_a_password_is_in_no_answer(run_module, arguments):
    refused = run_module(release_source, {**arguments, "repository": "http://deploy:hunter2@127.0.0.1:9/x"})
    assert refused.failed
    assert "hunter2" not in str(refused.answer)
