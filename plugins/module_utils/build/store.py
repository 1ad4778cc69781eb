# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases and environments of one application on this host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.locking import locked
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import (
    MANIFEST_NAME,
    EnvironmentManifest,
    Manifest,
    ReleaseManifest,
    dump_manifest,
    load_manifest,
    require_app,
    retain,
    unused_environments,
)

COLOURS = ("blue", "green")
SCRATCH = ".scratch-"
LOCK_TIMEOUT = 900.0
"""Seconds to wait for another run on this host: a build of a large application takes minutes."""


@dataclass(frozen=True)
class Pruned:
    """Releases that stayed, oldest first, and the directories that went."""

    kept: tuple[str, ...]
    removed: tuple[str, ...]


class Store:
    """Everything below ``<root>/<app>``: releases, environments, and the link of each colour."""

    def __init__(self, app: str, root: str = "/opt") -> None:
        self.app = require_app(app)
        self.home = Path(root) / app
        self._releases = self.home / "releases"
        self._environments = self.home / "environments"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Alone at work here; the directories exist afterwards."""
        for folder in (self.home, self._releases, self._environments):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o755)
        with locked(self.home / ".lock", LOCK_TIMEOUT):
            yield

    def release_path(self, release: str) -> Path:
        """Where ``release`` is or would be."""
        return self._releases / release

    def environment_path(self, key: str) -> Path:
        """Where the environment ``key`` is or would be."""
        return self._environments / key

    def scratch_path(self, name: str) -> Path:
        """A place on the same file system for what is not finished."""
        return self.home / f"{SCRATCH}{name}"

    def release(self, release: str, sha: str = "") -> ReleaseManifest | None:
        """What is known of a complete release; None when it is not there or half-built.

        :class:`InvalidInput` when it is there with another commit than ``sha``.
        """
        found = _read(ReleaseManifest, self.release_path(release)) if release else None
        if found and sha and found.sha != sha:
            raise InvalidInput(
                f"release {release} exists with commit {found.sha}, not {sha}",
                where=str(self.release_path(release)),
                expected="one commit for each release",
                do="deploy under a new release id",
            )
        return found

    def environment(self, key: str) -> EnvironmentManifest | None:
        """What is known of a complete environment; None when it is not there or half-built."""
        return _read(EnvironmentManifest, self.environment_path(key)) if key else None

    def releases(self) -> list[ReleaseManifest]:
        """All complete releases, oldest first."""
        return [found for path in _folders(self._releases) if (found := _read(ReleaseManifest, path))]

    def environments(self) -> list[EnvironmentManifest]:
        """All complete environments, by key."""
        return [found for path in _folders(self._environments) if (found := _read(EnvironmentManifest, path))]

    def colours(self) -> dict[str, str]:
        """The release that each colour's link points to, empty where there is none."""
        links = {colour: self.home / colour for colour in COLOURS}
        return {colour: link.readlink().name if link.is_symlink() else "" for colour, link in links.items()}

    def half_built(self) -> list[Path]:
        """What earlier runs left unfinished."""
        unfinished = [
            path
            for path in (*_folders(self._releases), *_folders(self._environments))
            if not (path / MANIFEST_NAME).exists()
        ]
        return unfinished + [path for path in _folders(self.home) if path.name.startswith(SCRATCH)]

    def sweep(self) -> list[Path]:
        """Remove what earlier runs left unfinished. Only under the lock: another run's work looks the same."""
        left = self.half_built()
        for path in left:
            tree.remove(path)
        return left

    def prune(self, keep: int, protect: Iterable[str]) -> tuple[Pruned, list[Path]]:
        """What :meth:`remove` has to remove so that ``keep`` releases and the protected ones stay; changes nothing."""
        releases = self.releases()
        decision = retain((each.release for each in releases), keep, {*protect, *self.colours().values()})
        stay = [each for each in releases if each.release in decision.kept]
        unused = unused_environments((each.key for each in self.environments()), stay)
        gone = [self.release_path(each) for each in decision.removed] + [self.environment_path(key) for key in unused]
        gone += self.half_built()
        return Pruned(decision.kept, tuple(str(path) for path in gone)), gone

    def remove(self, paths: Iterable[Path]) -> None:
        """Remove releases and environments; each stops being complete before its files go."""
        for path in paths:
            (path / MANIFEST_NAME).unlink(missing_ok=True)
            tree.remove(path)


def complete(path: Path, manifest: ReleaseManifest | EnvironmentManifest) -> None:
    """Declare the tree at ``path`` complete: from now on it is a target."""
    tree.write_atomically(path / MANIFEST_NAME, dump_manifest(manifest), 0o644)


def _read(kind: type[Manifest], path: Path) -> Manifest | None:
    file = path / MANIFEST_NAME
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    return load_manifest(kind, text, str(file))


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(path for path in parent.iterdir() if path.is_dir() and not path.is_symlink())
