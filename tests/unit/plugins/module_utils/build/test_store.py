# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Releases and environments on disk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store, complete
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import (
    EnvironmentManifest,
    ManifestUnreadable,
    ReleaseManifest,
)

SHA = "1a2b3c4" + "0" * 33
IDS = [f"2026112{day}T000000Z-1a2b3c4" for day in range(1, 5)]
RELEASE = ReleaseManifest(IDS[0], SHA, "v1", "v1", "a" * 64, "key-py3.11", "3.11.2", "then", "b" * 64, 1, 1)
ENVIRONMENT = EnvironmentManifest("key-py3.11", "a" * 64, "3.11.2", "cpython-311", "x86_64", "then", "c" * 64, 1, 1)


@pytest.fixture
def store(tmp_path):
    store = Store("app", str(tmp_path))
    with store.lock():
        for release in IDS:
            add(store, release)
        path = store.environment_path("key-py3.11")
        path.mkdir()
        complete(path, ENVIRONMENT)
    return store


def add(store: Store, release: str, environment: str = "key-py3.11") -> None:
    path = store.release_path(release)
    path.mkdir()
    complete(path, replace(RELEASE, release=release, environment=environment))


def test_an_application_that_was_never_here(tmp_path):
    store = Store("app", str(tmp_path))
    assert store.releases() == store.environments() == store.half_built() == []
    assert store.colours() == {"blue": "", "green": ""}
    assert store.release(IDS[0]) is None
    assert list(tmp_path.iterdir()) == []


def test_complete_ones_are_listed_oldest_first(store):
    store.release_path("20261130T000000Z-1a2b3c4").mkdir()
    assert [each.release for each in store.releases()] == IDS
    assert [each.key for each in store.environments()] == ["key-py3.11"]


def test_the_release_of_each_colour(store):
    (store.home / "blue").symlink_to(f"releases/{IDS[0]}")
    assert store.colours() == {"blue": IDS[0], "green": ""}


def test_an_id_of_another_commit_is_refused(store):
    assert store.release(IDS[0], SHA) is not None
    with pytest.raises(InvalidInput, match="exists with commit"):
        store.release(IDS[0], "f" * 40)


def test_a_damaged_manifest_is_not_taken_for_a_release(store):
    (store.release_path(IDS[0]) / ".greenlight.json").write_text("{")
    with pytest.raises(ManifestUnreadable):
        store.releases()


def test_what_was_left_unfinished_is_swept(store):
    half = [store.release_path("20261130T000000Z-1a2b3c4"), store.environment_path("other"), store.scratch_path("x")]
    for path in half:
        path.mkdir()
        (path / "file").write_text("")
    assert sorted(store.half_built()) == sorted(half)
    assert sorted(store.sweep()) == sorted(half)
    assert store.half_built() == []
    assert len(store.releases()) == 4


def test_pruning_keeps_the_newest_the_protected_and_both_colours(store):
    (store.home / "green").symlink_to(f"releases/{IDS[0]}")
    plan, paths = store.prune(1, [IDS[1]])
    assert plan.kept == (IDS[0], IDS[1], IDS[3])
    assert paths == [store.release_path(IDS[2])]
    assert store.release(IDS[2]) is not None
    store.remove(paths)
    assert store.release(IDS[2]) is None


def test_an_environment_goes_with_its_last_release(store):
    add(store, "20261125T000000Z-1a2b3c4", "other-py3.11")
    path = store.environment_path("other-py3.11")
    path.mkdir()
    complete(path, replace(ENVIRONMENT, key="other-py3.11"))
    plan, paths = store.prune(1, [])
    assert plan.kept == ("20261125T000000Z-1a2b3c4",)
    assert store.environment_path("key-py3.11") in paths
    assert path not in paths


def test_an_environment_that_another_release_needs_stays(store):
    _plan, paths = store.prune(1, [])
    assert paths == [store.release_path(release) for release in IDS[:3]]
