# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease import files as module
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import lock as locks
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles, NotWritten
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.lease.samples import ANN, START


@pytest.fixture
def files(tmp_path):
    made = DeploymentFiles(Layout("shop", tmp_path))
    with made.locked():
        pass
    return made


def test_nothing_is_there_at_first(tmp_path):
    files = DeploymentFiles(Layout("shop", tmp_path))
    assert (files.lock(), files.guard(), files.returned(), files.record(), files.entries(9)) == (
        None,
        None,
        None,
        None,
        ([], 0),
    )


def test_only_root_can_look_in_and_nginx_can_pass_by(files):
    assert files.layout.deployment.stat().st_mode & 0o777 == 0o700
    assert files.layout.deployment.parent.stat().st_mode & 0o777 == 0o755
    files.write_lock(locks.grant(ANN, START, "t"))
    assert files.layout.lock.stat().st_mode & 0o777 == 0o600


def test_a_lock_comes_and_goes(files):
    lock = locks.grant(ANN, START, "t")
    files.write_lock(lock)
    assert files.lock() == lock
    files.remove_lock()
    files.remove_lock()
    assert files.lock() is None


def test_the_journal_goes_on_after_a_torn_line(files):
    files.append(START, "d1", "begun", {})
    with files.layout.journal.open("a") as handle:
        handle.write('{"at": "20')
    files.append(START, "d1", "ended", {})
    entries, torn = files.entries(9)
    assert ([one["event"] for one in entries], torn) == (["begun", "ended"], 1)
    assert [one["event"] for one in files.entries(1)[0]] == ["ended"]
    assert files.entries(0)[0] == []


def test_the_journal_is_bounded_and_what_was_before_is_found(files, monkeypatch):
    monkeypatch.setattr(module, "_JOURNAL_BYTES", 300)
    for number in range(20):
        files.append(START, "d1", f"event {number}", {})
    kept = [path.stat().st_size for path in files.layout.deployment.glob("journal.jsonl*")]
    assert len(kept) == 2
    assert max(kept) < 500
    assert [one["event"] for one in files.entries(4)[0]] == [f"event {number}" for number in range(16, 20)]


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_damaged_record_is_none(files, text):
    files.layout.record.write_text(text)
    assert files.record() is None


def test_a_disk_that_takes_nothing_is_told(files, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(module, "write_atomic", full)
    for attempt in (lambda: files.append(START, "d1", "begun", {}), lambda: files.write_record({})):
        with pytest.raises(NotWritten, match="No space left"):
            attempt()
