# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from tools import wheels


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """What was fetched, of the one lock file that there is: ``(lock, python)`` each time."""
    seen = []
    (tmp_path / "examples" / "one" / "app").mkdir(parents=True)
    (tmp_path / "examples" / "one" / "app" / "requirements.lock").write_text("one==1")
    monkeypatch.setattr(wheels, "ROOT", tmp_path)
    monkeypatch.setattr(wheels, "CACHE", tmp_path)
    monkeypatch.setattr(wheels, "FOLDER", tmp_path / "wheels")
    monkeypatch.setattr(wheels.environment, "ensure", lambda: None)
    monkeypatch.setattr(wheels, "fetch", lambda lock, python: seen.append((lock.parent.name, python)))
    return seen


def test_packages_are_fetched_once_for_every_python(fetched):
    wheels.ensure()
    wheels.ensure()
    assert sorted(fetched) == [("app", "3.11"), ("app", "3.13")]


def test_another_lock_file_fetches_anew_into_the_same_folder(fetched, tmp_path):
    wheels.ensure()
    folder = wheels.FOLDER.stat().st_ino
    (wheels.FOLDER / "one-1-py3-none-any.whl").touch()
    (tmp_path / "examples" / "one" / "app" / "requirements.lock").write_text("one==2")
    wheels.ensure()
    assert len(fetched) == 4
    assert [path.name for path in wheels.FOLDER.iterdir()] == ["complete"]
    assert wheels.FOLDER.stat().st_ino == folder


def test_wheels_of_the_hosts_system_are_asked_for():
    words = wheels.words(Path("/lock"), "3.13", "aarch64")
    assert {"--python-version=3.13", "--platform=manylinux_2_36_aarch64", "--platform=manylinux2014_aarch64"} <= set(
        words
    )
    assert "--require-hashes" in words
