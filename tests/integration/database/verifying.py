# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the truth table share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Answer = dict[str, Any]


def only(answer: Answer) -> Answer:
    """The one row that is declared."""
    (row,) = [row for row in answer["rows"] if row["declared"]]
    return row


def verdicts(answer: Answer) -> dict[str, str]:
    """The verdict on each object."""
    return {row["object"]: row["verdict"] for row in answer["rows"]}


def apply(sql: Callable[..., Any], fix: str) -> None:
    """Run a fix as a person does: one statement after the other."""
    for statement in fix.split(";"):
        if statement.strip():
            sql(statement)


def quoted(text: str) -> str:
    """A string constant."""
    return "'" + text.replace("'", "''") + "'"
