# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a release is called, what is written down about it, and which releases may go. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from typing import Any, TypeVar

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput

MANIFEST_NAME = ".greenlight.json"
"""Written last into a release or an environment: without it the directory is half-built and never a target."""

SHORT_SHA = 7
TIME_FORMAT = "%Y%m%dT%H%M%SZ"

_APP = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]|[a-z]")
_RELEASE = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f]{7})")
_SHA = re.compile(r"[0-9a-f]{40}")


class ManifestUnreadable(GreenlightError):
    """A manifest exists but is not one of ours."""


@dataclass(frozen=True)
class ReleaseManifest:
    """What is known about a complete release; the content of its ``.greenlight.json``.

    ``fingerprint`` is that of the deployment for which it was made: another one may find it and need no build.
    """

    release: str
    sha: str
    ref: str
    version: str
    lock_sha256: str
    environment: str
    python: str
    built: str
    tree_sha256: str
    bytes: int
    files: int
    fingerprint: str = ""


@dataclass(frozen=True)
class EnvironmentManifest:
    """What is known about a complete virtual environment; ``machine`` and ``soabi`` say where it can run."""

    key: str
    lock_sha256: str
    python: str
    soabi: str
    machine: str
    built: str
    tree_sha256: str
    bytes: int
    files: int


Manifest = TypeVar("Manifest", ReleaseManifest, EnvironmentManifest)


@dataclass(frozen=True)
class Retention:
    """Release ids that stay and that go, both oldest first."""

    kept: tuple[str, ...]
    removed: tuple[str, ...]


def require_app(app: str) -> str:
    """``app`` when it can be the name of a directory, a user and a unit; :class:`InvalidInput` otherwise."""
    if not _APP.fullmatch(app):
        raise InvalidInput(
            f"{app!r} cannot be the name of an application",
            where="app",
            expected="lower-case letters, digits and single hyphens, a letter first, at most 32 characters",
        )
    return app


def require_sha(sha: str) -> str:
    """``sha`` when it is a full commit id of 40 hexadecimal digits; :class:`InvalidInput` otherwise."""
    if not _SHA.fullmatch(sha):
        raise InvalidInput(f"{sha!r} is not a commit id", where="sha", expected="40 hexadecimal digits")
    return sha


def make_release_id(now: datetime, sha: str) -> str:
    """The id of a deployment that begins at ``now`` (aware) with commit ``sha``, such as 20261122T124500Z-1a2b3c4."""
    return f"{now.astimezone(timezone.utc).strftime(TIME_FORMAT)}-{require_sha(sha)[:SHORT_SHA]}"


def require_release(release: str, sha: str = "") -> str:
    """``release`` when it is an id of ours, and of commit ``sha`` if that is given; :class:`InvalidInput` otherwise."""
    match = _RELEASE.fullmatch(release)
    expected = "<UTC time>-<first 7 of the commit>, such as 20261122T124500Z-1a2b3c4"
    if not match:
        raise InvalidInput(f"{release!r} is not the id of a release", where="release", expected=expected)
    try:
        datetime.strptime(match[1], TIME_FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        raise InvalidInput(f"{release!r} names no time", where="release", expected=expected) from None
    if sha and match[2] != require_sha(sha)[:SHORT_SHA]:
        raise InvalidInput(
            f"release {release} does not belong to commit {sha}",
            where="release",
            expected=f"an id that ends in -{sha[:SHORT_SHA]}",
        )
    return release


def environment_key(lock_sha256: str, python: str) -> str:
    """The name of the environment that ``lock_sha256`` makes with Python ``python`` (such as ``3.11.2``)."""
    major, minor = python.split(".")[:2]
    return f"{lock_sha256[:12]}-py{major}.{minor}"


def dump_manifest(manifest: ReleaseManifest | EnvironmentManifest) -> str:
    """The text of a manifest's file."""
    return json.dumps(asdict(manifest), indent=2, sort_keys=True) + "\n"


def load_manifest(kind: type[Manifest], text: str, where: str) -> Manifest:
    """The manifest of ``kind`` in ``text``; :class:`ManifestUnreadable` names ``where`` when it is none."""
    try:
        content: Any = json.loads(text)
    except ValueError as error:
        raise ManifestUnreadable(f"not JSON: {error}", where=where, do="remove that directory") from error
    given = content if isinstance(content, Mapping) else {}
    found = {field.name: given.get(field.name, field.default) for field in fields(kind)}
    if any(not isinstance(found[each.name], int if each.type == "int" else str) for each in fields(kind)):
        raise ManifestUnreadable("not a manifest of this version", where=where, do="remove that directory")
    return kind(**found)


def retain(releases: Iterable[str], keep: int, protect: Iterable[str]) -> Retention:
    """Keep the ``keep`` newest of ``releases`` and every one in ``protect``; ids sort by their time."""
    if keep < 1:
        raise InvalidInput(f"{keep} releases cannot be kept", where="keep", expected="1 or more")
    ordered = sorted(set(releases))
    stay = set(ordered[-keep:]) | set(protect)
    return Retention(
        kept=tuple(each for each in ordered if each in stay),
        removed=tuple(each for each in ordered if each not in stay),
    )


def unused_environments(environments: Iterable[str], releases: Sequence[ReleaseManifest]) -> tuple[str, ...]:
    """The keys of ``environments`` that none of ``releases`` runs in."""
    return tuple(sorted(set(environments) - {release.environment for release in releases}))
