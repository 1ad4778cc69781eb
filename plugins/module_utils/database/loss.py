# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a restore would lose. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SHOWN = 8


@dataclass(frozen=True)
class Table:
    """Rows of one table; None where it is not there."""

    name: str
    now: int | None
    backup: int | None


@dataclass(frozen=True)
class Loss:
    """What changes with a restore: the ``seconds`` since the backup, and the tables whose number of rows differs.

    ``tables`` is None when there is no database, so that nothing can be lost, or when ``unknown`` says why its rows
    cannot be counted. Changes that leave a number of rows as it is are lost as well, and cannot be seen.
    """

    seconds: float
    tables: tuple[Table, ...] | None
    unknown: str = ""


def loss_of(now: Mapping[str, int] | None, backup: Mapping[str, int], seconds: float) -> Loss:
    """The difference of rows by table, the largest first."""
    if now is None:
        return Loss(seconds, None)
    differing = [
        Table(name, now.get(name), backup.get(name)) for name in {*now, *backup} if now.get(name) != backup.get(name)
    ]
    return Loss(
        seconds, tuple(sorted(differing, key=lambda each: (-abs((each.now or 0) - (each.backup or 0)), each.name)))
    )


def describe(loss: Loss, database: str) -> str:
    """The loss for people."""
    if loss.tables is None and not loss.unknown:
        return f"there is no database {database}, nothing can be lost"
    since = f"everything that was written to {database} in the last {loss.seconds:.0f} s would be lost"
    if loss.tables is None:
        return f"{since}; its rows cannot be counted: {loss.unknown}"
    if not loss.tables:
        return f"{since}; every table has as many rows now as in the backup"
    shown = [f"{each.name} {_rows(each.now)} now, {_rows(each.backup)} in the backup" for each in loss.tables[:SHOWN]]
    more = f"; and {len(loss.tables) - SHOWN} more tables" if len(loss.tables) > SHOWN else ""
    return f"{since}: {'; '.join(shown)}{more}"


def _rows(rows: int | None) -> str:
    return "no table" if rows is None else f"{rows} rows"
