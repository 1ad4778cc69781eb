# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The backups of one database on this host: one folder each, complete or not there at all."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.locking import locked
from ansible_collections.greenlight.deploy.plugins.module_utils.database import manifest as manifests
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import File, Manifest
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import require_app

PARTIAL, GONE = ".partial-", ".gone-"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


class Backups:
    """Everything below ``<place>/<app>/<database>``, which only its owner may read."""

    def __init__(self, place: str, app: str, database: str) -> None:
        self.folder = Path(place) / require_app(app) / quote(database, safe="").replace(".", "%2E")

    @contextmanager
    def lock(self, timeout: float) -> Iterator[None]:
        """Alone at work here; the folder exists, and what killed runs left is gone."""
        for folder in (self.folder.parent, self.folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if folder.stat().st_uid == os.geteuid():
                folder.chmod(0o700)
        with locked(self.folder / ".lock", timeout):
            for left in (*self.folder.glob(f"{PARTIAL}*"), *self.folder.glob(f"{GONE}*")):
                tree.remove(left)
            yield

    def path(self, backup: str) -> Path:
        """Where the backup is or would be."""
        return self.folder / require_id(backup)

    def partial(self, backup: str) -> Path:
        """Where this process has it until it is complete; a killed one's pg_dump may still write into its own."""
        return self.folder / f"{PARTIAL}{require_id(backup)}-{os.getpid()}"

    def find(self, backup: str) -> Manifest | None:
        """The manifest of a complete backup, None when there is none."""
        file = self.path(backup) / manifests.NAME
        return manifests.load(file.read_text(encoding="utf-8"), str(file)) if file.is_file() else None

    def all(self) -> list[Manifest]:
        """The manifests of all complete backups that can be read, oldest first."""
        unreadable = self.unreadable()
        found = [manifest for name in self._names() if name not in unreadable and (manifest := self.find(name))]
        return sorted(found, key=lambda each: each.taken)

    def unreadable(self) -> dict[str, str]:
        """What is wrong with manifests, by the id of the backup. Such a backup stays and counts for nothing."""
        return {name: wrong for name in self._names() if (wrong := self._wrong(name))}

    def _wrong(self, backup: str) -> str:
        try:
            self.find(backup)
        except manifests.BackupDamaged as error:
            return str(error)
        return ""

    def _names(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if _ID.fullmatch(path.name))

    def publish(self, manifest: Manifest) -> Path:
        """Make the partial backup the complete one, durably."""
        partial, path = self.partial(manifest.id), self.path(manifest.id)
        tree.write_atomically(partial / manifests.NAME, manifests.dump(manifest), 0o600)
        make_durable(partial)
        partial.rename(path)
        sync(self.folder)
        return path

    def amend(self, manifest: Manifest) -> None:
        """Write down what has become known of a complete backup."""
        tree.write_atomically(self.path(manifest.id) / manifests.NAME, manifests.dump(manifest), 0o600)

    def remove(self, backups: Iterable[str]) -> None:
        """Remove backups; each stops being one before its files go."""
        for backup in backups:
            gone = self.folder / f"{GONE}{backup}"
            self.path(backup).rename(gone)
            tree.remove(gone)


def require_id(backup: str) -> str:
    """``backup`` when it can be the name of a folder and part of an object's key; :class:`InvalidInput` otherwise."""
    if not _ID.fullmatch(backup):
        raise InvalidInput(
            f"{backup!r} cannot be the id of a backup",
            where="backup",
            expected="letters, digits, dots, hyphens and underscores, a letter or digit first, at most 80 characters",
        )
    return backup


def files_of(folder: Path) -> dict[str, File]:
    """Each file below ``folder`` by its path there, without the manifest."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / manifests.NAME)
    return {str(path.relative_to(folder)): File(path.stat().st_size, tree.sha256_of(path)) for path in paths}


def make_durable(folder: Path) -> None:
    """Have everything below ``folder`` on the disk before this returns."""
    for path in (*folder.rglob("*"), folder):
        sync(path)


def sync(path: Path) -> None:
    """Have a file or a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
