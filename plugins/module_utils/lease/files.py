# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files about the deployment of one application on this host: lock, journal, record."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import guard as guards
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import journal, lock
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guard import Guard, Returned
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.lock import Lock
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import Moment
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import make_directory, write_atomic

_JOURNAL_BYTES = 1024 * 1024  # then a new file is begun; the one before is kept
_PRIVATE = 0o600


class NotWritten(GreenlightError):
    """The disk did not take what has to be kept."""


class DeploymentFiles:
    """Reads of what is not there give None; what is written is on the disk when the call returns."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes these files meanwhile."""
        directory = self.layout.deployment
        with _kept(directory):
            if not directory.is_dir():
                make_directory(directory.parent)
                directory.mkdir(exist_ok=True)
                directory.chmod(0o700)
            descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def lock(self) -> Lock | None:
        """Who holds the application."""
        text = _text(self.layout.lock)
        return None if text is None else lock.parse(text, str(self.layout.lock))

    def write_lock(self, one: Lock) -> None:
        """Replace the lock."""
        self.write(self.layout.lock, lock.render(one))

    def remove_lock(self) -> None:
        """Nobody holds the application any more."""
        self.layout.lock.unlink(missing_ok=True)

    def guard(self) -> Guard | None:
        """What the dead-man's switch would do; None when it is not armed."""
        text = _text(self.layout.guard)
        return None if text is None else guards.parse(text, str(self.layout.guard))

    def returned(self) -> Returned | None:
        """What it did."""
        return guards.parse_returned(_text(self.layout.returned) or "")

    def append(self, now: Moment, deployment: str, event: str, data: Mapping[str, Any]) -> None:
        """Write to the journal."""
        path, text = self.layout.journal, journal.line(journal.entry(now.wall, deployment, event, data))
        with _kept(path):
            if path.exists() and path.stat().st_size > _JOURNAL_BYTES:
                path.replace(path.with_name(path.name + ".1"))
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _PRIVATE)
            try:
                size = os.fstat(descriptor).st_size
                torn = size and os.pread(descriptor, 1, size - 1) != b"\n"
                os.write(descriptor, (("\n" if torn else "") + text).encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def note(self, now: Moment, deployment: str, event: str, data: Mapping[str, Any]) -> None:
        """Add an event to the journal, and what it says of the deployment's progress to the record."""
        with self.locked():
            self.add(now, deployment, event, data)

    def add(self, now: Moment, deployment: str, event: str, data: Mapping[str, Any]) -> None:
        """As :meth:`note`, for who has these files :meth:`locked`."""
        self.append(now, deployment, event, data)
        if any(field in data for field in journal.FIELDS):
            self.write_record(journal.advanced(self.record(), deployment, data, now.wall))

    def entries(self, last: int) -> tuple[list[dict[str, Any]], int]:
        """The last entries, oldest first, and how many lines cannot be read."""
        before = _text(self.layout.journal.with_name(self.layout.journal.name + ".1")) or ""
        entries, torn = journal.parse(before + "\n" + (_text(self.layout.journal) or ""))
        return entries[-last:] if last else [], torn

    def record(self) -> dict[str, Any] | None:
        """How far the last deployment came; None also when the file is damaged, since it only helps to resume."""
        try:
            found = json.loads(_text(self.layout.record) or "null")
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Replace the record."""
        self.write(self.layout.record, json.dumps(record, indent=2) + "\n")

    def write(self, path: Path, text: str, mode: int = _PRIVATE) -> None:
        """Replace a file of these."""
        with _kept(path):
            write_atomic(path, text.encode(), mode)


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


@contextmanager
def _kept(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotWritten(
            f"cannot be written ({error.strerror})", where=str(path), do="see to the disk, then run again"
        ) from None
