# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a colour is emptied: which classes are asked to leave, and how long it takes until nobody is left. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

POLL_SECONDS = 0.5
ALL = "all"
_PLACE = re.compile(r"\{(classes|seconds|colour)\}")


@dataclass(frozen=True)
class Emptying:
    """How the connections of a colour went down: at the beginning, at the end, and the seconds in between."""

    before: int
    after: int
    seconds: float


def ranges(classes: Sequence[str]) -> str:
    """``["c00", "c01", "c15"]`` as ``0-1,15``, the form in which a drain command takes them; ``["all"]`` as ``all``."""
    if list(classes) == [ALL]:
        return ALL
    numbers = sorted({_number(name) for name in classes})
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][-1] + 1:
            spans[-1][1:] = [number]
        else:
            spans.append([number])
    return ",".join("-".join(map(str, span)) for span in spans)


def fill(command: Sequence[str], *, classes: Sequence[str], seconds: int, colour: str, python: str) -> list[str]:
    """The drain command with its places filled; ``python`` as its first word is the release's interpreter."""
    values = {"classes": ranges(classes), "seconds": str(seconds), "colour": colour}
    filled = [_PLACE.sub(lambda place: values[place[1]], word) for word in command]
    return [python, *filled[1:]] if filled[0] == "python" else filled


def wait_until_empty(
    count: Callable[[], int],
    deadline: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Emptying:
    """Count until nobody is left or ``deadline`` seconds have passed; a deadline of 0 counts once."""
    began = clock()
    before = now = count()
    while now and clock() - began < deadline:
        sleep(min(POLL_SECONDS, max(0.0, deadline - (clock() - began))))
        now = count()
    return Emptying(before, now, round(clock() - began, 3))


def _number(name: str) -> int:
    if not (len(name) == 3 and name[0] == "c" and name[1:].isdigit()):
        raise InvalidInput(f"there is no class {name!r}", where="classes", expected="c00 to c99, or all alone")
    return int(name[1:])
