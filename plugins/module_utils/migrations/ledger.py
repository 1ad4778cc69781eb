# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger of migrations: what each deployment applied, and what is to be made of rows that a kill left. Pure.

Django's own table says what is applied and is always right; the ledger adds which deployment did it, when, with which
release, and what the schema was before and after. A row is ``begun`` before a migration and ``applied`` after it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

FIELDS = (
    "id", "app", "deployment", "release", "version", "framework", "migration", "reversible", "begun_at", "applied_at",
    "reversed_at", "seconds", "schema_before", "schema_after", "role", "recovered",
)  # fmt: skip
SHOWN_DEPLOYMENTS = 5


@dataclass(frozen=True)
class Entry:
    """One row: times are UTC as ``2026-11-22T12:45:00Z``, empty when it has not come to that."""

    id: int
    app: str
    deployment: str
    release: str
    version: str
    framework: str
    migration: str
    reversible: bool
    begun_at: str
    applied_at: str
    reversed_at: str
    seconds: float
    schema_before: str
    schema_after: str
    role: str
    recovered: bool

    @property
    def stands(self) -> bool:
        """Whether it was applied and not undone."""
        return bool(self.applied_at) and not self.reversed_at


@dataclass(frozen=True)
class Recovery:
    """Rows that do not say what the database says. ``unfinished`` is for a person to decide."""

    applied: tuple[Entry, ...]
    undone: tuple[Entry, ...]
    forgotten: tuple[Entry, ...]
    unfinished: tuple[Entry, ...]


def entries_of(rows: Sequence[dict[str, Any]]) -> list[Entry]:
    """Entries from plain data, oldest first."""
    return sorted((Entry(**row) for row in rows), key=lambda entry: entry.id)


def recovery(entries: Sequence[Entry], recorded: Collection[str], schema: str) -> Recovery:
    """What a run that was killed left: ``recorded`` is what Django has applied, ``schema`` the fingerprint of now.

    A row that was begun and whose migration is recorded was applied. One that is not recorded and that left the schema
    as it was did nothing. One that changed the schema is unfinished. One that was applied and is recorded no more was
    undone.
    """
    begun = [entry for entry in entries if not entry.applied_at and not entry.reversed_at]
    lost = [entry for entry in begun if entry.migration not in recorded]
    return Recovery(
        applied=tuple(entry for entry in begun if entry.migration in recorded),
        undone=tuple(entry for entry in entries if entry.stands and entry.migration not in recorded),
        forgotten=tuple(entry for entry in lost if entry.schema_before == schema),
        unfinished=tuple(entry for entry in lost if entry.schema_before != schema),
    )


def unfinished(entries: Sequence[Entry]) -> InvalidInput:
    """What to say of migrations that a run left half-way."""
    named = ", ".join(f"{entry.migration} (begun {entry.begun_at} by {entry.deployment})" for entry in entries)
    return InvalidInput(
        f"{named} did not end, and the schema is not what it was before",
        where="migrations",
        expected="each migration applied or not begun",
        do="take back by hand what it did, or finish it by hand and record it (manage.py migrate --fake), and run "
        "again; with unfinished=retry where it can simply be run again",
    )


def chosen(entries: Sequence[Entry], deployment: str, needed: Collection[str] | None = None) -> tuple[str, list[Entry]]:
    """The deployment to undo and its rows that stand, newest first; no rows when there is nothing to undo.

    Where none is named and the migrations are known that the release that serves needs, it is the newest that has
    something that stands, and nothing is undone when that is needed. Where neither is known, it is the newest of the
    ledger, also when all of it is undone already: a second run must not go one further. :class:`InvalidInput` when the
    ledger does not know it, or when a later deployment has applied migrations that stand.
    """
    known = list(dict.fromkeys(entry.deployment for entry in reversed(entries) if entry.applied_at))
    if deployment and deployment not in known:
        raise InvalidInput(
            f"the ledger has no migrations of deployment {deployment}",
            where="deployment",
            expected=f"one of {', '.join(known[:SHOWN_DEPLOYMENTS])}" if known else "one that applied migrations",
        )
    standing = [entry.deployment for entry in reversed(entries) if entry.stands]
    name = deployment or next(iter(standing if needed is not None else known), "")
    rows = [entry for entry in reversed(entries) if entry.deployment == name and entry.stands]
    if not deployment and needed and any(row.migration in needed for row in rows):
        return name, []
    _check_later(entries, name, rows)
    return name, rows


def _check_later(entries: Sequence[Entry], name: str, rows: Sequence[Entry]) -> None:
    after = rows[-1].id if rows else sys.maxsize
    later = [entry for entry in entries if entry.id > after and entry.stands and entry.deployment != name]
    if later:
        others = list(dict.fromkeys(entry.deployment for entry in reversed(later)))
        raise InvalidInput(
            f"{', '.join(others)} applied {', '.join(entry.migration for entry in later)} after it",
            where=f"deployment {name}",
            expected="the newest migrations to be undone first",
            do=f"undo {others[0]} first, or leave the schema as it is",
        )


def deployments(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Each deployment, newest first: ``{deployment, release, version, stands, reversible, sentence}``.

    ``stands`` are its migrations that were applied and not undone; ``reversible`` whether every one of them is.
    """
    return [_deployment(name, entries) for name in dict.fromkeys(entry.deployment for entry in reversed(entries))]


def _deployment(name: str, entries: Sequence[Entry]) -> dict[str, Any]:
    own = [entry for entry in entries if entry.deployment == name]
    stands = [entry for entry in own if entry.stands]
    parts = {
        "applied": [entry.migration for entry in stands],
        "had undone": [entry.migration for entry in own if entry.reversed_at],
        "did not end": [entry.migration for entry in own if not entry.applied_at and not entry.reversed_at],
    }
    said = "; ".join(f"{what} {', '.join(names)}" for what, names in parts.items() if names)
    newest = own[-1]
    return {
        "deployment": name,
        "release": newest.release,
        "version": newest.version,
        "stands": parts["applied"],
        "reversible": all(entry.reversible for entry in stands),
        "sentence": f"{name} ({newest.version or newest.release}) {said}",
    }
