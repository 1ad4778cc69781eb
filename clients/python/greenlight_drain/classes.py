# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Client classes: the hundredths of all clients that a proxy moves together."""

from __future__ import annotations

import re
from collections.abc import Iterable

HEADER = b"x-greenlight-class"
UNCLASSED = "none"
NUMBERED = tuple(f"c{number:02d}" for number in range(100))
EVERY = frozenset({*NUMBERED, UNCLASSED})
_CLASS = re.compile(r"c[0-9]{2}")
_PART = re.compile(r"([0-9]{1,2})(?:-([0-9]{1,2}))?")


def class_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The class that a proxy gave to a connection: ``c00`` to ``c99``, else ``none``."""
    value = next((value for name, value in headers if name.lower() == HEADER), b"").decode("latin-1")
    return value if _CLASS.fullmatch(value) else UNCLASSED


def parse(text: str) -> frozenset[str]:
    """The classes in a list such as ``0-9,15``, ``none`` or ``all``; ValueError says which part cannot be read."""
    found: set[str] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if part == "all":
            found |= EVERY
        elif part == UNCLASSED:
            found.add(UNCLASSED)
        elif match and int(match[1]) <= int(match[2] or match[1]):
            found.update(NUMBERED[int(match[1]) : int(match[2] or match[1]) + 1])
        else:
            raise ValueError(f"{part[:20]!r} is no class: expected a number 0 to 99, a range such as 0-9, none or all")
    return frozenset(found)
