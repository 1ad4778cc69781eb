# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What programs printed, made fit to be shown: secrets taken out, only the end kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable

MASK = "********"
TAIL_LINES = 20
SHORTEST_SECRET = 4
"""Shorter values are not masked: taking out every ``1`` would leave nothing that can be read."""


def redact(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every value in ``secrets`` replaced; longer ones first, since one may hold another."""
    for secret in sorted({each for each in secrets if len(each) >= SHORTEST_SECRET}, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def tail(text: str, lines: int = TAIL_LINES) -> str:
    """The last ``lines`` lines of ``text`` that are not empty."""
    return "\n".join([line.rstrip() for line in text.splitlines() if line.strip()][-lines:])
