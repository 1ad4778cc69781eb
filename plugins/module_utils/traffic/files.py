# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The traffic directory of an application on a proxy: the atomic switch, the record, the lock."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.guard import Returned, parse_returned
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import contact as contacts
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import state as records
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact, NotInstalled
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import State, files_of, parse_state
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record, RecordDamaged

_NEXT = ".next"  # what is being made; one name is enough under the lock, and a killed run leaves at most one


def write_atomic(path: Path, content: bytes, mode: int) -> None:
    """Whoever opens ``path`` finds either all of the old or all of the new content, also after a crash."""
    following = path.with_name(path.name + _NEXT)
    descriptor = os.open(following, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as handle:
        handle.write(content)
        os.fchmod(handle.fileno(), mode)
        handle.flush()
        os.fsync(handle.fileno())
    following.replace(path)
    _sync(path.parent)


def make_directory(path: Path, mode: int = 0o755) -> None:
    """Make a directory and the ones above it, each with this mode whatever the umask; existing ones stay."""
    if not path.is_dir():
        make_directory(path.parent, mode)
        path.mkdir()
        path.chmod(mode)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class TrafficFiles:
    """``directory`` is ``/var/lib/greenlight/<app>/traffic``."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._current = directory / "current"
        self._record = directory / "traffic.json"
        self._contact = directory / "site.json"

    def installed(self) -> bool:
        """Whether the application is on this proxy."""
        return self._contact.exists()

    def prepare(self) -> None:
        """Make the directory; nginx's workers must be able to enter it and all above."""
        make_directory(self.directory / "states")
        for path in (self.directory / "states", *(self.directory / "states").parents):
            if not path.stat().st_mode & 0o001:
                raise InvalidInput(
                    "nginx's workers cannot enter this directory",
                    where=str(path),
                    expected="the right to enter (x) for others",
                    do=f"chmod o+x {path}",
                )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes the traffic of this application on this host meanwhile."""
        with (self.directory / ".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def state(self) -> State | None:
        """The state in force, None when there is none yet."""
        if not self._current.is_symlink():
            return None
        target = self._current.readlink()
        try:
            return parse_state(target.name)
        except InvalidInput as error:
            raise RecordDamaged(
                f"the link leads to {target}: {error.what}",
                where=str(self._current),
                expected="a link to states/<name>",
                do="run the role web_proxy again after removing the link",
            ) from None

    def switch(self, state: State) -> None:
        """Put a state in force: the very next request sees all of it."""
        self.keep_ready(state)
        following = self.directory / _NEXT
        following.unlink(missing_ok=True)
        following.symlink_to(Path("states", state.name))
        following.replace(self._current)
        _sync(self.directory)

    def keep_ready(self, state: State) -> None:
        """Make the files of a state, so that a rename of the link alone puts it in force."""
        target, wanted = self.directory / "states" / state.name, files_of(state)
        if target.is_dir():
            _repair(target, wanted)
            return
        following = self.directory / "states" / _NEXT
        shutil.rmtree(following, ignore_errors=True)
        following.mkdir()
        following.chmod(0o755)
        _repair(following, wanted)
        following.rename(target)
        _sync(target.parent)

    def record(self) -> Record:
        """What was recorded; an empty record when nothing was."""
        try:
            text = self._record.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Record()
        except (OSError, UnicodeDecodeError) as error:
            raise RecordDamaged(f"the traffic record cannot be read ({error})", where=str(self._record)) from None
        return records.parse(text, str(self._record))

    def write_record(self, record: Record) -> None:
        """Replace the record."""
        write_atomic(self._record, records.render(record).encode(), 0o644)

    def returned(self) -> Returned | None:
        """What the dead-man's switch did since somebody last looked after it."""
        try:
            return parse_returned((self.directory.parent / "deployment/returned.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def contact(self) -> Contact:
        """How to ask this proxy; :class:`NotInstalled` when the application is not on it."""
        try:
            text = self._contact.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise NotInstalled(
                "the application is not installed on this proxy",
                where=str(self.directory),
                expected="what the role web_proxy leaves there",
                do="run the role web_proxy for this proxy first, or correct the application's name",
            ) from None
        return contacts.parse(text, str(self._contact))

    def write_contact(self, contact: Contact) -> None:
        """Replace what is needed to ask; it holds the tester's token."""
        write_atomic(self._contact, contacts.render(contact).encode(), 0o600)


def _repair(directory: Path, wanted: frozenset[str]) -> None:
    """Make exactly these empty files; one by one, each is a whole change for its class."""
    present = {path.name for path in directory.iterdir()}
    if present == wanted:
        return
    for name in sorted(wanted - present):
        (directory / name).touch(mode=0o644)
    for name in sorted(present - wanted):
        (directory / name).unlink()
    _sync(directory)
