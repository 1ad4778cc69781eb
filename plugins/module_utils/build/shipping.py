# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ships a complete release from the host that built it to another: packed there, checked and unpacked here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.builder import require_archive, unpack
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run
from ansible_collections.greenlight.deploy.plugins.module_utils.build.interpreter import Interpreter, ask
from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import (
    MANIFEST_NAME,
    EnvironmentManifest,
    ReleaseManifest,
    load_manifest,
)

RELEASE, ENVIRONMENT = "release", "environment"


@dataclass(frozen=True)
class Artefact:
    """A packed release; ``holds`` names its parts."""

    path: Path
    sha256: str
    bytes: int
    holds: tuple[str, ...]


def lacking(manifest: ReleaseManifest, others: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The parts of a release that at least one of ``others`` (results of ``release_info``) does not have."""
    waiting = [other for other in others if manifest.release not in _names(other, "releases", "release")]
    if not waiting:
        return ()
    if all(manifest.environment in _names(other, "environments", "key") for other in waiting):
        return (RELEASE,)
    return (RELEASE, ENVIRONMENT)


def pack(store: Store, manifest: ReleaseManifest, folder: Path, parts: Sequence[str]) -> Artefact:
    """Pack ``parts`` of a complete release into ``folder``. The artefact belongs to the folder's owner."""
    names = {RELEASE: store.release_path(manifest.release), ENVIRONMENT: store.environment_path(manifest.environment)}
    path = folder / f"{manifest.release}.tar.gz"
    size = manifest.bytes + sum(each.bytes for each in store.environments() if each.key == manifest.environment)
    tree.require_space(folder, size if ENVIRONMENT in parts else manifest.bytes, f"the artefact of {manifest.release}")
    with tree.whole_or_gone(path):
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        run(
            ["tar", "--create", "--use-compress-program=gzip -1", "--file", str(path)]
            + [str(names[part].relative_to(store.home)) for part in parts],
            Context(store.home, timeout=600.0),
            what=f"packing {manifest.release}",
        )
        owner = folder.stat()
        os.chown(path, owner.st_uid, owner.st_gid)
    return Artefact(path, tree.sha256_of(path), path.stat().st_size, tuple(parts))


def install(store: Store, release: str, sha: str, archive: Path, archive_sha256: str, python: str) -> ReleaseManifest:
    """Make ``release`` from its artefact, under the store's lock. Each tree appears whole, the release last."""
    require_archive(archive, archive_sha256)
    interpreter = ask(python)
    tree.require_space(store.home, _unpacked_bytes(archive), f"release {release}")
    incoming = store.scratch_path(release)
    with tree.whole_or_gone(incoming):
        incoming.mkdir(mode=0o700)
        unpack(archive, incoming)
        manifest = _check_release(incoming / "releases" / release, release, sha)
        _bring_environment(store, incoming / "environments" / manifest.environment, manifest, interpreter)
        (incoming / "releases" / release).rename(store.release_path(release))
    tree.remove(incoming)
    return manifest


def _check_release(path: Path, release: str, sha: str) -> ReleaseManifest:
    manifest = load_manifest(ReleaseManifest, _text(path), str(path))
    if (manifest.release, manifest.sha) != (release, sha):
        raise InvalidInput(
            f"the artefact holds release {manifest.release} of commit {manifest.sha}",
            where=release,
            expected=f"release {release} of commit {sha}",
            do="ship it again from the host that built it",
        )
    _check_tree(path, manifest)
    return manifest


def _bring_environment(store: Store, path: Path, manifest: ReleaseManifest, interpreter: Interpreter) -> None:
    """Move the artefact's environment into its place, unless this host has it already."""
    here = store.environment(manifest.environment)
    if here is None and not path.is_dir():
        raise InvalidInput(
            f"neither this host nor the artefact has the environment {manifest.environment}",
            where=manifest.release,
            expected="an artefact that was packed for this host",
            do="build it again",
        )
    environment = here or load_manifest(EnvironmentManifest, _text(path), str(path))
    _require_interpreter(environment, interpreter)
    if here is None:
        _check_tree(path, environment)
        path.rename(store.environment_path(environment.key))


def _require_interpreter(built_for: EnvironmentManifest, interpreter: Interpreter) -> None:
    series = ".".join(built_for.python.split(".")[:2])
    wanted, found = (series, built_for.soabi), (interpreter.series, interpreter.soabi)
    if wanted != found:
        raise InvalidInput(
            f"this host has Python {interpreter.version} ({interpreter.soabi})",
            where=f"interpreter {interpreter.path}",
            expected=f"Python {series} ({built_for.soabi}), as on the host that built the release",
            do="give all application hosts the same system, or set greenlight_python",
        )


def _check_tree(path: Path, manifest: ReleaseManifest | EnvironmentManifest) -> None:
    found = tree.measure(path, frozenset({MANIFEST_NAME})).sha256
    if found != manifest.tree_sha256:
        raise InvalidInput(
            "its files are not those that were built",
            where=path.name,
            expected=f"tree SHA-256 {manifest.tree_sha256}, not {found}",
            do="ship it again from the host that built it",
        )


def _text(path: Path) -> str:
    try:
        return (path / MANIFEST_NAME).read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            f"the artefact does not hold it: {error.strerror}", where=path.name, do="ship it again"
        ) from error


def _unpacked_bytes(archive: Path) -> int:
    """The size that gzip notes at the end of its file (modulo 4 GiB)."""
    with archive.open("rb") as handle:
        handle.seek(-4, os.SEEK_END)
        return int.from_bytes(handle.read(4), "little")


def _names(info: Mapping[str, Any], what: str, name: str) -> set[str]:
    return {str(each[name]) for each in info.get(what, ())}
