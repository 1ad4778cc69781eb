# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding the ref that was meant."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build import refs
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

A, B, C = "a" * 40, "b" * 40, "c" * 40
LISTING = f"{A}\trefs/heads/main\n{B}\trefs/tags/v1.0.0\n{C}\trefs/tags/v1.0.0^{{}}\n{A}\trefs/tags/light\n"
HERE = refs.Repository("https://git.example.com/x.git")


def test_annotated_tags_are_peeled():
    assert refs.parse_refs(LISTING) == {
        "refs/heads/main": A,
        "refs/tags/v1.0.0": C,
        "refs/tags/light": A,
    }


def test_peeled_tags_count_in_either_order():
    assert refs.parse_refs(f"{C} refs/tags/v1^{{}}\n{B} refs/tags/v1\n") == {"refs/tags/v1": C}


@pytest.mark.parametrize(
    ("ref", "kind", "name"),
    [
        ("main", "branch", "main"),
        ("refs/heads/main", "branch", "main"),
        ("v1.0.0", "tag", "v1.0.0"),
        ("refs/tags/v1.0.0", "tag", "v1.0.0"),
    ],
)
def test_refs_are_found_by_short_and_full_name(ref, kind, name):
    found = refs.find_ref(refs.parse_refs(LISTING), ref)
    assert found is not None
    assert (found.kind, found.name) == (kind, name)


def test_a_tag_wins_over_a_branch_of_the_same_name():
    found = refs.find_ref({"refs/heads/x": A, "refs/tags/x": B}, "x")
    assert found == refs.Ref("x", "tag", B)


def test_what_is_not_there_is_none():
    assert refs.find_ref(refs.parse_refs(LISTING), "v1.0.1") is None


def test_the_nearest_refs_are_named():
    error = refs.unknown_ref(HERE, "v1.0.1", refs.parse_refs(LISTING))
    assert "nearest: v1.0.0" in str(error)
    assert "there is no tag, branch or commit 'v1.0.1'" in str(error)


def test_an_empty_repository_says_so():
    assert "the repository is empty" in str(refs.unknown_ref(HERE, "main", []))


@pytest.mark.parametrize("ref", ["", "-x", "--upload-pack=x", "a..b", "a b", "HEAD@{1}", "v1\n", "a:b", "a^", "a~1"])
def test_what_git_could_take_for_something_else_is_refused(ref):
    with pytest.raises(InvalidInput, match="cannot be a ref"):
        refs.require_ref(ref)


@pytest.mark.parametrize("ref", ["v2.0.0-sync", "release/2026.11", "feature+x", "1a2b3c4", "me@home"])
def test_ordinary_refs_are_taken(ref):
    assert refs.require_ref(ref) == ref


@pytest.mark.parametrize(("ref", "may"), [("1a2b3c4", True), (A, True), ("1a2b3c", False), ("main", False)])
def test_what_looks_like_a_commit(ref, may):
    assert refs.may_be_commit(ref) is may


def test_login_is_parted_from_the_address():
    repository = refs.split_login("https://deploy:p%40ss@git.example.com:8443/x.git")
    assert repository.url == repository.shown == "https://git.example.com:8443/x.git"
    assert (repository.user, repository.password) == ("deploy", "p@ss")
    assert set(repository.secrets) == {"p@ss", "p%40ss"}


def test_a_user_alone_is_a_token():
    assert refs.split_login("https://token123@git.example.com/x").secrets == ("token123",)


@pytest.mark.parametrize(
    "address", ["git@example.com:x.git", "ssh://git@example.com/x", "/srv/x.git", "https://e.com/x"]
)
def test_addresses_without_a_secret_stay_as_they_are(address):
    assert refs.split_login(address) == refs.Repository(address)
    assert refs.split_login(address).secrets == ()
