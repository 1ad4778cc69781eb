# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tools import example
from tools.console import Trouble

VERSIONS = [
    {"tag": "v1", "message": "First", "overlay": "versions/v1", "remove": ["new.txt", "later"]},
    {"tag": "v2", "message": "Second", "overlay": None, "remove": []},
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "project" / "examples" / "shop"
    for name, text in {
        "app/same.txt": "2",
        "app/new.txt": "n",
        "app/later/x": "x",
        "versions/v1/same.txt": "1",
        "versions/v1/later/y": "y",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "versions.json").write_text(json.dumps(VERSIONS))
    subprocess.run(["git", "init", "-q", str(tmp_path / "project")], check=True)
    monkeypatch.setattr(example, "ROOT", tmp_path)
    monkeypatch.setattr(example, "EXAMPLES", folder.parent)
    monkeypatch.setattr(example, "LAB", tmp_path / "lab")
    monkeypatch.setattr(example, "REPOSITORIES", tmp_path / "lab" / "repositories")
    return folder


def git(repository: Path, *words: str) -> str:
    return subprocess.run(
        ["git", f"--git-dir={repository}", *words], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_each_version_is_the_newest_tree_without_what_came_later_and_with_its_overlay(folder):
    repository = example.ensure("shop")
    assert git(repository, "ls-tree", "-r", "--name-only", "v1").split() == ["later/y", "same.txt"]
    assert git(repository, "show", "v1:same.txt") == "1"
    assert git(repository, "ls-tree", "-r", "--name-only", "v2").split() == ["later/x", "new.txt", "same.txt"]
    assert git(repository, "log", "--format=%s", "main").split() == ["Second", "First"]


def test_a_link_to_a_folder_of_the_project_becomes_its_files(folder):
    package = folder.parent.parent / "clients" / "package"
    package.mkdir(parents=True)
    (package / "inner.py").write_text("1")
    (folder / "app/package").symlink_to("../../../clients/package")
    assert git(example.ensure("shop"), "show", "v2:package/inner.py") == "1"
    (package / "inner.py").write_text("2")
    assert git(example.ensure("shop"), "show", "v2:package/inner.py") == "2"


def test_the_same_files_make_the_same_commits(folder, tmp_path):
    first, second = tmp_path / "one.git", tmp_path / "two.git"
    example.make(folder, first)
    example.make(folder, second)
    assert git(first, "rev-parse", "v1^{}", "v2^{}") == git(second, "rev-parse", "v1^{}", "v2^{}")


def test_it_is_made_anew_only_when_a_file_changed(folder):
    repository = example.ensure("shop")
    before = repository.stat().st_ino
    assert example.ensure("shop").stat().st_ino == before
    (folder / "app/same.txt").write_text("3")
    assert git(example.ensure("shop"), "show", "v2:same.txt") == "3"


def test_removing_what_is_not_there_is_a_mistake(folder):
    (folder / "versions.json").write_text(json.dumps([{**VERSIONS[1], "remove": ["nothing"]}]))
    with pytest.raises(Trouble, match="v2 removes nothing"):
        example.ensure("shop")


def test_an_unknown_key_is_named(folder):
    (folder / "versions.json").write_text(json.dumps([{**VERSIONS[1], "overlays": []}]))
    with pytest.raises(Trouble, match="overlays"):
        example.ensure("shop")
