# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives a folder of files that rows point to, reads the archive to its end, and brings it back by a swap."""

from __future__ import annotations

import os
import tarfile
import zlib
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import BackupDamaged, Manifest, Media
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

ARCHIVE = "media.tar.gz"
CHANGED_WHILE_READ = 1
"""tar's status when a file changed or went while it read it: the application goes on writing."""


def size(folder: Path) -> int:
    """The bytes of all files below ``folder``; :class:`InvalidInput` when there is no such folder."""
    if not folder.is_dir():
        raise InvalidInput("is no folder", where=f"media {folder}", do="name the folder that the application writes to")
    found = [Path(top) / name for top, _folders, names in os.walk(folder) for name in names]
    return sum(path.lstat().st_size for path in found if path.is_symlink() or path.exists())


def archive(folder: Path, backup: Path, timeout: float) -> Media:
    """Put ``folder`` into an archive in ``backup``, and read that to its end."""
    words = ["--create", "--gzip", f"--file={backup / ARCHIVE}", f"--directory={folder}", "."]
    context = Context(Path("/"), {"GZIP": "-1"}, timeout=timeout, umask=0o077)
    run(["tar", *words], context, what="media", allowed=(0, CHANGED_WHILE_READ))
    files, total = read_to_the_end(backup / ARCHIVE)
    return Media(str(folder), ARCHIVE, files, total)


def read_to_the_end(path: Path) -> tuple[int, int]:
    """Files and bytes in an archive that can be read whole; :class:`~.manifest.BackupDamaged` otherwise."""
    try:
        with tarfile.open(path) as opened:
            sizes = [member.size for member in opened if member.isfile()]
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise BackupDamaged(f"cannot be read: {error}", where=str(path), do="use another backup") from error
    return len(sizes), sum(sizes)


def unpack(backup: Path, manifest: Manifest, folder: Path, restore: str, timeout: float) -> None:
    """Have the archive of a backup beside ``folder``, ready to be swapped; :class:`InvalidInput` when it has none."""
    if manifest.media is None:
        raise InvalidInput(f"backup {manifest.id} has no archive of files", where="media", do="leave media out")
    ready, partial = _beside(folder, restore, "restoring"), _beside(folder, restore, "partial")
    tree.remove(partial)
    tree.remove(ready)
    partial.mkdir(parents=True, mode=0o700)
    words = ["--extract", "--gzip", f"--file={backup / manifest.media.archive}", f"--directory={partial}"]
    run(["tar", *words], Context(Path("/"), timeout=timeout), what="media")
    partial.rename(ready)


def swap(folder: Path, restore: str) -> None:
    """Put what was unpacked in the place of ``folder``, which is kept under the name of the restore."""
    ready, kept = _beside(folder, restore, "restoring"), _beside(folder, restore, "replaced")
    if folder.exists() and not kept.exists():
        folder.rename(kept)
    ready.rename(folder)


def in_place(folder: Path, restore: str) -> bool:
    """Whether the folder of this restore is the one that there is."""
    ready, partial = _beside(folder, restore, "restoring"), _beside(folder, restore, "partial")
    return folder.exists() and not ready.exists() and not partial.exists()


def _beside(folder: Path, restore: str, purpose: str) -> Path:
    return folder.with_name(f"{folder.name}_{purpose}_{restore}")
