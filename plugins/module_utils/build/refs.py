# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refs of a repository: finding the one that was meant, or the nearest. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

SHORTEST_ABBREVIATION = 7
NEAREST = 5

_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+@-]*")
_SCHEMES_WITH_LOGIN = ("http", "https")


@dataclass(frozen=True)
class Repository:
    """A repository's address without its login."""

    url: str
    user: str = ""
    password: str = ""

    @property
    def shown(self) -> str:
        """The address as messages may say it."""
        return self.url

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, as it is and as a URL writes it; a user alone is taken for a token."""
        secret = self.password or self.user
        return tuple({secret, quote(secret, safe="")} - {""})


@dataclass(frozen=True)
class Ref:
    """A ref that was found: its commit (tags peeled) and what kind of ref it is (tag, branch or commit)."""

    name: str
    kind: str
    sha: str


def split_login(address: str) -> Repository:
    """``address`` parted from the user and password in it (http and https only; ssh users are no secret)."""
    parts = urlsplit(address)
    if parts.scheme not in _SCHEMES_WITH_LOGIN or "@" not in parts.netloc:
        return Repository(address)
    bare = SplitResult(parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, parts.fragment)
    return Repository(urlunsplit(bare), unquote(parts.username or ""), unquote(parts.password or ""))


def parse_refs(listing: str) -> dict[str, str]:
    """``git ls-remote`` or ``git show-ref -d`` output as {full ref name: commit}; annotated tags are peeled."""
    refs: dict[str, str] = {}
    for line in listing.splitlines():
        sha, _space, name = line.replace("\t", " ").partition(" ")
        peeled = name.endswith("^{}")
        if peeled or name not in refs:
            refs[name.removesuffix("^{}")] = sha
    return refs


def require_ref(ref: str) -> str:
    """``ref`` when git can take it for a ref and for nothing else; :class:`InvalidInput` otherwise."""
    if not _REF.fullmatch(ref) or ".." in ref or "@{" in ref:
        raise InvalidInput(f"{ref!r} cannot be a ref", where="ref", expected="a tag, a branch or a commit")
    return ref


def find_ref(refs: Mapping[str, str], ref: str) -> Ref | None:
    """What ``ref`` names in ``refs``: a tag before a branch, as git itself prefers; None when it names neither."""
    for kind, folder in (("tag", "refs/tags/"), ("branch", "refs/heads/")):
        for name in (ref, ref.removeprefix(folder)):
            sha = refs.get(folder + name)
            if sha:
                return Ref(name, kind, sha)
    return None


def may_be_commit(ref: str) -> bool:
    """Whether ``ref`` looks like a commit id of at least seven digits."""
    return bool(_COMMIT.fullmatch(ref))


def short_names(refs: Iterable[str]) -> list[str]:
    """The names of the tags and branches in ``refs`` as people write them."""
    names = {name.removeprefix(folder) for name in refs for folder in ("refs/tags/", "refs/heads/") if folder in name}
    return sorted(names)


def unknown_ref(repository: Repository, ref: str, refs: Iterable[str]) -> InvalidInput:
    """The error that names the refs nearest to ``ref``."""
    names = short_names(refs)
    near = difflib.get_close_matches(ref, names, n=NEAREST, cutoff=0.5) or names[-NEAREST:]
    return InvalidInput(
        f"there is no tag, branch or commit {ref!r}",
        where=repository.shown,
        expected="one of its refs; nearest: " + (", ".join(near) or "none, the repository is empty"),
        do="correct greenlight_ref, or push what is missing",
    )
