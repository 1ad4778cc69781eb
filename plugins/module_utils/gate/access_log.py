# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading an access log from where one stopped, across rotation."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError

CHUNK = 1 << 22


class NoLog(GreenlightError):
    """There is no access log to read."""


@dataclass(frozen=True)
class Place:
    """A position in a file that keeps its inode when it is renamed."""

    inode: int
    offset: int

    def as_dict(self) -> dict[str, int]:
        """For a module's result."""
        return {"inode": self.inode, "offset": self.offset}


@dataclass(frozen=True)
class Position:
    """Where reading stopped: in the current file, and in the one before it, into which nginx may still write."""

    current: Place
    before: Place | None = None

    def as_dict(self) -> dict[str, Any]:
        """For a module's result; :func:`position_of` reads it."""
        return {**self.current.as_dict(), "before": self.before.as_dict() if self.before else None}


def position_of(data: Mapping[str, Any]) -> Position | None:
    """The position in a module's arguments, None when it is empty."""
    if not data.get("inode"):
        return None
    before = data.get("before")
    return Position(
        Place(int(data["inode"]), int(data["offset"])),
        Place(int(before["inode"]), int(before["offset"])) if before else None,
    )


class AccessLog:
    """Reads whole lines only; ``gap`` says that lines were lost (a file that was cut or is gone)."""

    def __init__(self, path: Path, position: Position | None = None) -> None:
        self._path = path
        self.position = position or Position(self._end())
        self.gap = False

    def _end(self) -> Place:
        status = self._status()
        return Place(status.st_ino, status.st_size)

    def _status(self) -> os.stat_result:
        try:
            return self._path.stat()
        except OSError as error:
            raise NoLog(
                f"the access log cannot be read ({error.strerror})",
                where=str(self._path),
                expected="the log that the role web_proxy sets up",
            ) from None

    def read(self) -> Iterator[bytes]:
        """What was written since the last time, in chunks that end with a line."""
        status, position = self._status(), self.position
        if status.st_ino != position.current.inode:
            position = Position(Place(status.st_ino, 0), position.current)
        before = position.before
        if before is not None:
            rotated = self._rotated(before.inode)
            self.gap = self.gap or (rotated is None and before is self.position.current)
            before = None if rotated is None else (yield from self._lines(rotated, before))
        current = yield from self._lines(self._path, position.current)
        self.position = Position(current, before)

    def _rotated(self, inode: int) -> Path | None:
        """The file that has this inode now, None when it is gone (or has been compressed)."""
        with os.scandir(self._path.parent) as entries:
            names = [entry.name for entry in entries if entry.inode() == inode]
        return self._path.with_name(names[0]) if names else None

    def _lines(self, path: Path, place: Place) -> Generator[bytes, None, Place]:
        with path.open("rb") as handle:
            status = os.fstat(handle.fileno())
            if status.st_ino != place.inode:  # rotated at this very moment: the next time shows where to go on
                return place
            offset = place.offset
            if status.st_size < offset:
                self.gap, offset = True, 0
            handle.seek(offset)
            while chunk := handle.read(CHUNK):
                whole = chunk[: chunk.rfind(b"\n") + 1]
                if not whole:
                    break
                offset += len(whole)
                handle.seek(offset)
                yield whole
        return Place(status.st_ino, offset)
