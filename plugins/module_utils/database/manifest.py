# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written down about a backup: enough to prove it, and to restore the database around the data. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError

NAME = "manifest.json"
"""Written last into a backup: without it the folder is no backup."""

VERSION = 1
LEVELS = ("read", "restore")
SHOWN = 5
CLOSED = " [greenlight: closed for a restore, connection limit {limit}]"
_CLOSED = re.compile(r" \[greenlight: closed for a restore, connection limit (-?\d+)\]\Z")


class BackupDamaged(GreenlightError):
    """A backup is not what its manifest says, or a database not what its backup held."""


@dataclass(frozen=True)
class File:
    """One file of a backup: its bytes and the SHA-256 of its content."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Surroundings:
    """What belongs to a database and is no part of its dump.

    ``provider`` of the ``locale`` is c, i (ICU) or b (the server's own), as in pg_database. ``acl`` is None where
    nobody ever granted anything; its entries have ``grantee`` (empty: everybody), ``privilege`` and ``grantable``.
    ``settings`` have ``role`` (empty: every role), ``name`` and ``value``.
    """

    owner: str
    encoding: str
    collate: str
    ctype: str
    provider: str = "c"
    locale: str = ""
    tablespace: str = "pg_default"
    connection_limit: int = -1
    comment: str = ""
    acl: list[dict[str, Any]] | None = None
    settings: list[dict[str, str]] = field(default_factory=list)

    def closed(self) -> Surroundings:
        """The same for a database that only superusers get into; the comment says what it was before."""
        own = self.reopened()
        mark = CLOSED.format(limit=own.connection_limit)
        return replace(own, connection_limit=0, comment=f"{own.comment}{mark}")

    def reopened(self) -> Surroundings:
        """The same for a database that is no longer :meth:`closed`; itself when it was not."""
        match = _CLOSED.search(self.comment)
        if not match:
            return self
        return replace(self, connection_limit=int(match[1]), comment=self.comment[: match.start()])


@dataclass(frozen=True)
class Media:
    """The archive of a folder of files that rows point to."""

    path: str
    archive: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """A backup: ``tables`` are rows by quoted name, counted in the snapshot that was dumped; times are of the server.

    ``taken`` is the second (since 1970) of the snapshot. ``verification`` is one of LEVELS and ``seconds`` what each
    step took; ``seconds["restore"]`` is how long a whole restore takes here and now. ``off_site`` is the key of the
    copy in an object store.
    """

    id: str
    app: str
    kind: str
    database: str
    taken: float
    server_version: int
    program_version: int
    compression: str
    database_bytes: int
    dump_bytes: int
    verification: str
    tables: dict[str, int]
    large_objects: int
    extensions: dict[str, str]
    surroundings: Surroundings
    files: dict[str, File]
    seconds: dict[str, float]
    media: Media | None = None
    off_site: str = ""
    version: int = VERSION

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(self.tables.values())

    def summary(self) -> dict[str, Any]:
        """The manifest without what is long: tables and files are counted."""
        return {**asdict(self), "tables": len(self.tables), "files": len(self.files), "rows": self.rows}


def dump(manifest: Manifest) -> str:
    """The text of a manifest's file."""
    return json.dumps(asdict(manifest), indent=2, sort_keys=True) + "\n"


def load(text: str, where: str) -> Manifest:
    """The manifest in ``text``; :class:`BackupDamaged` names ``where`` when it is none of this version."""
    try:
        content = json.loads(text)
        if content["version"] != VERSION:
            raise BackupDamaged(f"is of version {content['version']}", where=where, expected=f"version {VERSION}")
        content["surroundings"] = Surroundings(**content["surroundings"])
        content["files"] = {name: File(**each) for name, each in content["files"].items()}
        content["media"] = Media(**content["media"]) if content["media"] else None
        return _checked(Manifest(**content))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupDamaged("is not the manifest of a backup", where=where, do="use another backup") from error


def _checked(manifest: Manifest) -> Manifest:
    """``manifest`` when its parts are of the types that they are said to be; TypeError otherwise."""
    simple: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}
    for each in fields(manifest):
        kind = simple.get(str(each.type))
        if kind and not isinstance(getattr(manifest, each.name), kind):
            raise TypeError(each.name)
    return manifest


def compare_files(expected: Mapping[str, File], found: Mapping[str, File], where: str) -> None:
    """:class:`BackupDamaged` unless both hold the same files with the same content."""
    wrong = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    if wrong:
        raise BackupDamaged(
            f"{len(wrong)} of {len(expected)} files are not what the manifest says: {_some(wrong)}",
            where=where,
            expected="every file with its size and SHA-256",
            do="use another backup",
        )


def compare_rows(expected: Mapping[str, int], found: Mapping[str, int], where: str) -> None:
    """:class:`BackupDamaged` unless both have the same tables with as many rows."""
    wrong = [
        f"{name} has {found.get(name, 'no table')} instead of {expected.get(name, 'no table')}"
        for name in sorted({*expected, *found})
        if expected.get(name) != found.get(name)
    ]
    if wrong:
        raise BackupDamaged(
            f"{len(wrong)} of {len(expected)} tables do not have the rows of the backup: {_some(wrong)}",
            where=where,
            expected="the rows that were counted in the snapshot of the dump",
            do="use another backup",
        )


def _some(words: list[str]) -> str:
    return ", ".join(words[:SHOWN]) + (f" and {len(words) - SHOWN} more" if len(words) > SHOWN else "")
