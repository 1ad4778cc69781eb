# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a colour is emptied: which classes are asked to leave, and how long it takes until nobody is left. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

POLL_SECONDS = 0.25
ALL = "all"
MOVED = 4012
_PLACE = re.compile(r"\{(classes|seconds|colour)\}")


@dataclass(frozen=True)
class Report:
    """What the instance on ``port`` says of its sockets; ``why`` it says nothing, if so.

    ``open`` are its WebSockets now, ``requests`` its HTTP requests under way, ``asked`` the sockets of this question;
    ``closed`` and ``by_themselves`` count, since the instance began, how sockets that were asked have ended.
    """

    port: int
    open: int = 0
    requests: int = 0
    asked: int = 0
    closed: int = 0
    by_themselves: int = 0
    why: str = ""

    @property
    def busy(self) -> int:
        """Sockets and requests that are not done."""
        return self.open + self.requests


@dataclass(frozen=True)
class Ledger:
    """What became of the sockets of a colour on a host. None: nobody counted it."""

    before: int
    asked: int | None
    closed: int | None
    by_themselves: int | None
    left: int
    cut: int = 0


_COUNTS = ("open", "requests", "asked", "closed", "by_themselves")


def report_of(port: int, status: int, answer: object, error: str) -> Report:
    """What an instance answered to the contract's questions, ``answer`` being the JSON value of the body."""
    if error:
        return Report(port, why=error)
    counts = {name: answer.get(name, 0) for name in _COUNTS} if isinstance(answer, Mapping) else {}
    if status not in (200, 202) or not counts or not all(_is_count(value) for value in counts.values()):
        return Report(port, why=f"it answered {status}: it has no drain contract, or another token")
    return Report(port, **counts)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def request_body(classes: Sequence[str], over: int, code: int) -> bytes:
    """What an instance is asked with."""
    return json.dumps({"classes": ranges(classes), "over": over, "code": code}).encode()


def ledger(first: Sequence[Report], last: Sequence[Report], others: tuple[int, int]) -> Ledger:
    """From what each instance said first and last, and the connections before and after of those that say nothing."""
    if not first:
        return Ledger(others[0], None, None, None, others[1])
    ends = {report.port: report for report in last}
    return Ledger(
        before=sum(report.open for report in first) + others[0],
        asked=sum(report.asked for report in first),
        closed=_grown("closed", first, ends),
        by_themselves=_grown("by_themselves", first, ends),
        left=sum(report.open for report in last) + others[1],
    )


def _grown(name: str, first: Iterable[Report], last: Mapping[int, Report]) -> int:
    """An instance that began anew in between counts from 0."""
    return sum(max(0, getattr(last[report.port], name) - getattr(report, name)) for report in first)


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
) -> float:
    """Count until nobody is left or ``deadline`` seconds have passed; the seconds that it took."""
    began = clock()
    while count() and clock() - began < deadline:
        sleep(min(POLL_SECONDS, max(0.0, deadline - (clock() - began))))
    return round(clock() - began, 3)


def _number(name: str) -> int:
    if not (len(name) == 3 and name[0] == "c" and name[1:].isdigit()):
        raise InvalidInput(f"there is no class {name!r}", where="classes", expected="c00 to c99, or all alone")
    return int(name[1:])
