# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trees of files."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import NoSpace
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput


@pytest.fixture
def code(tmp_path):
    root = tmp_path / "code"
    (root / "package").mkdir(parents=True)
    (root / "package" / "module.py").write_text("x = 1\n")
    (root / "run").write_text("#!/bin/sh\n")
    (root / "run").chmod(0o770)
    (root / "link").symlink_to("package/module.py")
    (root / "broken").symlink_to("nowhere")
    return root


def test_a_copy_measures_the_same(code, tmp_path):
    shutil.copytree(code, tmp_path / "copy", symlinks=True)
    os.utime(tmp_path / "copy" / "run", (1, 1))
    assert tree.measure(code) == tree.measure(tmp_path / "copy")
    assert tree.measure(code).files == 2
    assert tree.measure(code).bytes == 16


@pytest.mark.parametrize("change", ["content", "mode", "name", "target", "more", "folder"])
def test_every_change_is_seen(code, change):
    before = tree.measure(code).sha256
    if change == "content":
        (code / "package" / "module.py").write_text("x = 2\n")
    elif change == "mode":
        (code / "run").chmod(0o700)
    elif change == "name":
        (code / "run").rename(code / "ran")
    elif change == "target":
        (code / "link").unlink()
        (code / "link").symlink_to("run")
    elif change == "more":
        (code / "more").write_text("")
    else:
        (code / "empty").mkdir()
    assert tree.measure(code).sha256 != before


def test_only_the_top_may_leave_something_out(code):
    before = tree.measure(code)
    (code / "manifest").write_text("x")
    assert tree.measure(code, frozenset({"manifest"})) == before
    (code / "package" / "manifest").write_text("x")
    assert tree.measure(code, frozenset({"manifest"})) != before


def test_a_pipe_in_a_tree_is_refused(code):
    os.mkfifo(code / "pipe")
    with pytest.raises(InvalidInput, match="neither file, folder nor link"):
        tree.measure(code)


def test_sealed_is_readable_by_all_and_writable_by_its_owner_alone(code):
    (code / "package").chmod(0o2770)
    (code / "package" / "module.py").chmod(0o4666)
    tree.seal(code)
    modes = {path.name: path.lstat().st_mode & 0o7777 for path in [code, *code.rglob("*")] if not path.is_symlink()}
    assert modes == {"code": 0o755, "package": 0o755, "module.py": 0o644, "run": 0o755}


def test_whole_or_gone(code):
    with pytest.raises(KeyError), tree.whole_or_gone(code):
        raise KeyError
    assert not code.exists()


def test_an_interrupted_run_leaves_nothing_either(code):
    with pytest.raises(SystemExit), tree.whole_or_gone(code):
        raise SystemExit
    assert not code.exists()


def test_a_disk_that_becomes_full_is_told(code):
    with pytest.raises(NoSpace, match="the disk became full"), tree.whole_or_gone(code):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not code.exists()


def test_space_is_asked_for_before(tmp_path):
    tree.require_space(tmp_path / "not" / "there" / "yet", 1, "it")
    with pytest.raises(NoSpace, match=r"MiB are free, release x needs \d+ MiB"):
        tree.require_space(tmp_path, 1 << 60, "release x")


def test_a_link_is_switched_and_tells_whether_it_was(tmp_path):
    link = tmp_path / "blue"
    assert tree.point(link, "releases/one")
    assert not tree.point(link, "releases/one")
    assert tree.point(link, "releases/two")
    assert str(link.readlink()) == "releases/two"
    assert list(tmp_path.iterdir()) == [link]


def test_a_file_is_replaced_whole_with_its_mode(tmp_path):
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    tree.write_atomically(path, "new", 0o600)
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "secret"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        tree.write_atomically(path, "\udcff", 0o600)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["old"]


def test_removing_what_is_not_there_is_fine(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    tree.remove(tmp_path / "link")
    tree.remove(tmp_path / "nothing")
    assert Path(tmp_path).is_dir()
