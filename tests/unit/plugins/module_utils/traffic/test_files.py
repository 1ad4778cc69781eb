# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import NotInstalled
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import (
    TrafficFiles,
    make_directory,
    write_atomic,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import (
    NONE,
    files_of,
    settled,
    shifting,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record, RecordDamaged
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT


@pytest.fixture
def files(root: Path) -> TrafficFiles:
    made = TrafficFiles(root / "app/traffic")
    made.prepare()
    return made


def names(files: TrafficFiles) -> set[str]:
    return {path.name for path in (files.directory / "current").iterdir()}


def test_a_switch_is_one_link_to_a_whole_directory(files):
    for state in (
        NONE,
        settled("blue"),
        shifting("green", 10),
        shifting("green", 50),
        settled("green"),
        settled("blue"),
    ):
        files.switch(state)
        assert files.state() == state
        assert names(files) == files_of(state)
        assert (files.directory / "current").readlink() == Path("states", state.name)
    assert [path.name for path in files.directory.rglob(".next*")] == []


def test_there_is_no_state_at_first(files):
    assert files.state() is None


def test_what_a_killed_run_left_is_in_nobody_s_way(files):
    (files.directory / ".next").symlink_to("states/gone")
    (files.directory / "states/.next").mkdir()
    (files.directory / "states/.next/c99").touch()
    files.switch(shifting("green", 1))
    assert names(files) == {"live", "guard-green", "c00"}


def test_a_directory_that_somebody_changed_is_mended(files):
    files.switch(shifting("green", 2))
    (files.directory / "current/c01").unlink()
    (files.directory / "current/c77").touch()
    files.switch(shifting("green", 2))
    assert names(files) == {"live", "guard-green", "c00", "c01"}


def test_nginx_may_look_whatever_the_umask(root):
    before = os.umask(0o077)
    try:
        files = TrafficFiles(root / "strict/traffic")
        files.prepare()
        files.switch(settled("blue"))
    finally:
        os.umask(before)
    for path in (files.directory, files.directory / "states/blue"):
        assert path.stat().st_mode & 0o777 == 0o755


def test_a_directory_that_nginx_cannot_enter_is_named(root):
    (root / "closed").mkdir(mode=0o700)
    with pytest.raises(InvalidInput, match="cannot enter") as caught:
        TrafficFiles(root / "closed/traffic").prepare()
    assert caught.value.do == f"chmod o+x {root / 'closed'}"


@pytest.mark.parametrize("target", ["states/red", "elsewhere"])
def test_a_link_to_no_state_is_damage(files, target):
    (files.directory / "current").symlink_to(target)
    with pytest.raises(RecordDamaged, match=target):
        files.state()


def test_record_and_contact_are_kept(files):
    assert files.record() == Record()
    assert not files.installed()
    with pytest.raises(NotInstalled, match="not installed on this proxy"):
        files.contact()
    files.write_record(Record("blue"))
    files.write_contact(CONTACT)
    assert (files.record(), files.contact(), files.installed()) == (Record("blue"), CONTACT, True)
    assert (files.directory / "site.json").stat().st_mode & 0o777 == 0o600
    assert (files.directory / "traffic.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("content", [b"\xff", b"{"])
def test_a_record_that_cannot_be_read_is_damage(files, content):
    (files.directory / "traffic.json").write_bytes(content)
    with pytest.raises(RecordDamaged):
        files.record()


def test_a_file_is_whole_and_has_its_mode_from_the_first_moment(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    write_atomic(path, b"new", 0o640)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_directories_that_are_there_stay(tmp_path):
    (tmp_path / "a").mkdir(mode=0o711)
    make_directory(tmp_path / "a/b/c")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o711
    assert (tmp_path / "a/b").stat().st_mode & 0o777 == 0o755


def test_two_changes_wait_for_each_other(files):
    order = []

    def second() -> None:
        with TrafficFiles(files.directory).locked():
            order.append("second")

    with files.locked():
        other = threading.Thread(target=second)
        other.start()
        other.join(0.05)
        order.append("first")
    other.join(5)
    assert order == ["first", "second"]
