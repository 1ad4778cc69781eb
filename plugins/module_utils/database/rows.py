# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table: its rows, their order, and how people read them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

VERDICTS: Mapping[str, str] = {
    "missing": "what is declared is not there",
    "invalid": "an index that the planner does not use: its build was cancelled or failed",
    "building": "a declared index that is being built",
    "different": "it is there under its name, but it is something else",
    "unusable": "the declared query cannot use the index, whatever the size of the table",
    "not_chosen": "the table is large and the declared query reads all of it",
    "not_validated": "a foreign key whose older rows were never checked",
    "unproven": "it could not be found out",
    "unindexed": "a foreign key without an index on its columns",
    "duplicate": "an index that another one makes superfluous",
    "unused": "nothing has used the index since the baseline",
    "renamed": "the index is there under another name",
    "ok": "as declared",
}
"""Every verdict, the worst first."""
_RANK = {verdict: rank for rank, verdict in enumerate(VERDICTS)}
LONGEST_TABLE = 200


@dataclass(frozen=True)
class Row:
    """What is true of one thing; what could not be asked, or makes no sense for its ``kind``, is None."""

    kind: str
    object: str
    table: str
    verdict: str
    why: str = ""
    fix: str = ""
    declared: bool = True
    exists: bool | None = None
    valid: bool | None = None
    ready: bool | None = None
    matches: bool | None = None
    chosen: bool | None = None
    usable: bool | None = None
    scans: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The row for a result."""
        return asdict(self)


def sorted_rows(rows: Iterable[Row]) -> list[Row]:
    """The worst first, what is declared before what is not, then by name."""
    return sorted(rows, key=lambda row: (_RANK[row.verdict], not row.declared, row.kind, row.object))


def counted(rows: Iterable[Row]) -> dict[str, int]:
    """How many rows have each verdict, the worst first."""
    counts = Counter(row.verdict for row in rows)
    return {verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]}


def refused(rows: Iterable[Row], fail_on: Collection[str]) -> list[Row]:
    """The rows that stop a deployment."""
    return [row for row in rows if row.verdict in fail_on]


def as_table(rows: Sequence[Row]) -> str:
    """One line a row in columns: verdict, kind, object, why."""
    shown = rows[:LONGEST_TABLE]
    cells = [(row.verdict, row.kind.replace("_", " "), row.object, row.why) for row in shown]
    widths = [max((len(line[at]) for line in cells), default=0) for at in range(3)]
    lines = [
        "  ".join([*(text.ljust(width) for text, width in zip(line, widths, strict=False)), line[3]]).rstrip()
        for line in cells
    ]
    if len(rows) > len(shown):
        lines.append(f"and {len(rows) - len(shown)} more")
    return "\n".join(lines)


def sentence(rows: Sequence[Row], fail_on: Collection[str]) -> str:
    """The truth table in one sentence."""
    if not rows:
        return "nothing is declared, and nothing else was found"
    counts = counted(rows)
    said = ", ".join(f"{count} {verdict.replace('_', ' ')}" for verdict, count in counts.items())
    bad = refused(rows, fail_on)
    if not bad:
        return f"the schema is as declared: {said}"
    more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
    return f"the schema is not as declared: {said}; first {bad[0].object}, {_because(bad[0])}{more}"


def _because(row: Row) -> str:
    return f"{row.verdict.replace('_', ' ')}: {row.why}" if row.why else row.verdict.replace("_", " ")
