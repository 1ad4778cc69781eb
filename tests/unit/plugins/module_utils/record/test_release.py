# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names, manifests and retention of releases."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.record import release

SHA = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
ID = "20261122T124500Z-1a2b3c4"
MANIFEST = release.ReleaseManifest(
    release=ID, sha=SHA, ref="v2", version="v2", lock_sha256="ab" * 32, environment="abababababab-py3.11",
    python="3.11.2", built="2026-11-22T12:46:00Z", tree_sha256="cd" * 32, bytes=10, files=2,
)  # fmt: skip


def test_an_id_is_the_utc_time_and_the_short_commit():
    noon_in_berlin = datetime(2026, 11, 22, 13, 45, tzinfo=timezone(timedelta(hours=1)))
    assert release.make_release_id(noon_in_berlin, SHA) == ID


def test_an_id_of_ours_is_taken():
    assert release.require_release(ID) == ID
    assert release.require_release(ID, SHA) == ID


@pytest.mark.parametrize(
    "text",
    ["", "latest", "20261122T124500Z", "20261122T124500Z-1a2b3c", "20261122T124500Z-1A2B3C4", "../../etc",
     "20261322T124500Z-1a2b3c4", "20261122T126100Z-1a2b3c4", ID + "\n"],
)  # fmt: skip
def test_what_is_no_id_is_refused(text):
    with pytest.raises(InvalidInput, match="release"):
        release.require_release(text)


def test_an_id_of_another_commit_is_refused():
    with pytest.raises(InvalidInput, match="does not belong to commit"):
        release.require_release(ID, "f" * 40)


@pytest.mark.parametrize("app", ["a", "mobile-sync", "app2", "a" * 32])
def test_names_of_applications(app):
    assert release.require_app(app) == app


@pytest.mark.parametrize("app", ["", "Mobile", "2app", "-app", "app-", "a/b", "..", "a b", "a" * 33, "app\n"])
def test_what_cannot_name_a_directory_a_user_and_a_unit_is_refused(app):
    with pytest.raises(InvalidInput, match="name of an application"):
        release.require_app(app)


@pytest.mark.parametrize("sha", ["", "main", SHA[:7], SHA.upper(), SHA + "0"])
def test_what_is_no_commit_is_refused(sha):
    with pytest.raises(InvalidInput, match="not a commit id"):
        release.require_sha(sha)


def test_an_environment_is_named_for_lock_and_python():
    assert release.environment_key("0123456789abcdef" * 4, "3.11.2") == "0123456789ab-py3.11"


def test_a_manifest_is_read_as_it_was_written():
    text = release.dump_manifest(MANIFEST)
    assert release.load_manifest(release.ReleaseManifest, text, "here") == MANIFEST


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"release": 1}'])
def test_a_damaged_manifest_names_its_place(text):
    with pytest.raises(release.ManifestUnreadable, match="/opt/app/releases/x"):
        release.load_manifest(release.ReleaseManifest, text, "/opt/app/releases/x")


def test_a_manifest_of_a_later_version_with_more_in_it_is_read():
    text = release.dump_manifest(MANIFEST).replace("{", '{"more": [],', 1)
    assert release.load_manifest(release.ReleaseManifest, text, "here") == MANIFEST


IDS = [f"2026112{day}T000000Z-aaaaaa{day}" for day in range(1, 8)]


def test_the_newest_stay():
    decision = release.retain(reversed(IDS), 5, [])
    assert decision.removed == tuple(IDS[:2])
    assert decision.kept == tuple(IDS[2:])


def test_protected_releases_stay_however_old_they_are():
    decision = release.retain(IDS, 1, [IDS[0], IDS[3], "", "unknown"])
    assert decision.kept == (IDS[0], IDS[3], IDS[6])


def test_nothing_goes_when_there_are_few():
    assert release.retain(IDS[:2], 5, []).removed == ()


def test_to_keep_none_is_refused():
    with pytest.raises(InvalidInput, match="0 releases cannot be kept"):
        release.retain(IDS, 0, [])


def test_environments_without_a_release_are_unused():
    other = replace(MANIFEST, environment="other")
    assert release.unused_environments(["other", "third"], [MANIFEST, other]) == ("third",)


def test_a_manifest_from_before_fingerprints_is_read():
    old = {name: value for name, value in asdict(MANIFEST).items() if name != "fingerprint"}
    assert release.load_manifest(release.ReleaseManifest, json.dumps(old), "here") == MANIFEST
