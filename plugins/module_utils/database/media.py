# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives a folder of files that rows point to, and reads the archive to its end."""

from __future__ import annotations

import os
import tarfile
import zlib
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import BackupDamaged, Media
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
    words = ["--create", "--gzip", "--ignore-failed-read", f"--file={backup / ARCHIVE}", f"--directory={folder}", "."]
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
