# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the size of a backup says of it. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError

COMPARED = 5
SMALLEST_SHARE, LARGEST_SHARE = 70, 200
NO_LOSS, NO_GROWTH = 64 * 1024, 64 * 1024 * 1024
"""Bytes: a smaller difference says nothing. A database that is new in use grows a hundredfold in an hour."""


class SizeAnomaly(GreenlightError):
    """A backup is much smaller or larger than the ones before it."""


def require_usual_size(size: int, before: Sequence[int], where: str) -> None:
    """:class:`SizeAnomaly` when ``size`` is under 70 % or over 200 % of the median of the last five sizes ``before``.

    ``before`` is oldest first; nothing is said about the first backup.
    """
    if not before:
        return
    median = statistics.median(before[-COMPARED:])
    if -NO_LOSS < size - median < NO_GROWTH or SMALLEST_SHARE <= 100 * size / median <= LARGEST_SHARE:
        return
    raise SizeAnomaly(
        f"the dump has {megabytes(size)}, {100 * size / median:.0f} % of the usual {megabytes(median)}",
        where=where,
        expected=f"{SMALLEST_SHARE} to {LARGEST_SHARE} % of the median of the last {COMPARED}",
        do="find out what happened to the data; where it is right, run again with size_change: accept",
    )


def megabytes(size: float) -> str:
    """Bytes for people."""
    return f"{size / 1e6:.1f} MB"
