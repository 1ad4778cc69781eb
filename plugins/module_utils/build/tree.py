# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trees of files on this host: their hash, size, owner; removed and unpacked whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import NoSpace
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

CHUNK = 1 << 20
MIB = 1 << 20


@dataclass(frozen=True)
class Measure:
    """What a tree holds: a hash over names, kinds, permissions and contents; regular files and their bytes."""

    sha256: str
    bytes: int
    files: int


def sha256_of(path: Path) -> str:
    """The hash of a file's content."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        while chunk := handle.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def measure(root: Path, leave_out: frozenset[str] = frozenset()) -> Measure:
    """Hash the tree below ``root`` without the entries of its top that are in ``leave_out``.

    Times and owners do not count, so a tree that was packed, shipped and unpacked measures the same.
    """
    digest, total, files = hashlib.sha256(), 0, 0
    for path in _walk(root, leave_out):
        status = path.lstat()
        name = os.fsencode(path.relative_to(root))
        if stat.S_ISLNK(status.st_mode):
            kind, content = b"link", os.fsencode(path.readlink())
        elif stat.S_ISDIR(status.st_mode):
            kind, content = b"folder %o" % stat.S_IMODE(status.st_mode), b""
        elif not stat.S_ISREG(status.st_mode):
            raise InvalidInput(
                "neither file, folder nor link", where=str(path), do="do not make such things in a build"
            )
        else:
            kind, content = b"file %o" % stat.S_IMODE(status.st_mode), sha256_of(path).encode()
            total, files = total + status.st_size, files + 1
        digest.update(b"%b\0%b\0%b\n" % (name, kind, content))
    return Measure(digest.hexdigest(), total, files)


def _walk(root: Path, leave_out: frozenset[str]) -> Iterator[Path]:
    """Everything below ``root``, parents first, in an order that depends on the names alone; links not followed."""
    for entry in sorted(os.scandir(root), key=lambda each: os.fsencode(each.name)):
        if entry.name in leave_out:
            continue
        yield Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), frozenset())


def give(root: Path, uid: int, gid: int) -> None:
    """Make ``uid`` and ``gid`` the owner of ``root`` and of all below it; links themselves, never their targets."""
    for path in (root, *_walk(root, frozenset())):
        os.chown(path, uid, gid, follow_symlinks=False)


def seal(root: Path) -> None:
    """Make the tree root's own: all may read it, nobody but root may write, no file runs as its owner."""
    for path in (root, *_walk(root, frozenset())):
        os.chown(path, os.geteuid(), os.getegid(), follow_symlinks=False)
        if path.is_symlink():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        executable = 0o111 if path.is_dir() or mode & stat.S_IXUSR else 0
        path.chmod(0o644 | executable)


@contextmanager
def whole_or_gone(*paths: Path) -> Iterator[None]:
    """Whatever goes wrong inside, ``paths`` do not stay; a full disk becomes :class:`NoSpace`."""
    try:
        yield
    except BaseException as error:
        for path in paths:
            remove(path)
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise NoSpace(
                "the disk became full",
                where=str(paths[0]),
                expected="enough free space",
                do="free space on that file system and run again",
            ) from error
        raise


def remove(path: Path) -> None:
    """Remove a tree, a file or a link; fine when there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def require_space(folder: Path, needed: int, purpose: str) -> None:
    """Raise :class:`NoSpace` when the file system of ``folder`` has fewer than ``needed`` bytes free."""
    free = free_bytes(folder)
    if free < needed:
        raise NoSpace(
            f"{free // MIB} MiB are free, {purpose} needs {-(-needed // MIB)} MiB",
            where=str(folder),
            expected="enough free space before anything is written",
            do="free space on that file system, or keep fewer releases",
        )


def free_bytes(folder: Path) -> int:
    """Free bytes for unprivileged writers on the file system of ``folder`` or of its nearest parent that exists."""
    while not folder.exists():
        folder = folder.parent
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def point(link: Path, target: str) -> bool:
    """Make ``link`` a symbolic link to ``target`` in one step; whether that changed anything."""
    if link.is_symlink() and str(link.readlink()) == target:
        return False
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
    return True


def write_atomically(path: Path, text: str, mode: int) -> None:
    """Write ``text`` to ``path`` with ``mode``, durable and all at once; readers see the old file or the new one."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as handle:  # noqa: PTH123
            os.fchmod(handle.fileno(), mode)
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
