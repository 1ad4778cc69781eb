# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to a proxy whose answers show whether a state is in force, and the judgement of an answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import (
    CLASSES,
    COLOURS,
    Colour,
    State,
    classes_of,
    samples,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.upstreams import Upstreams

UNSERVED = 503


@dataclass(frozen=True)
class Question:
    """Who answers a client of this class? ``meant`` None: nobody may (the proxy says 503 itself)."""

    client_class: str
    meant: Colour | None


@dataclass(frozen=True)
class Answer:
    """What came back; ``status`` 0 and ``error`` when nothing did. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    error: str = ""


@dataclass(frozen=True)
class Finding:
    """A question with its answer. ``problem`` is empty when the answer is the one wanted."""

    question: Question
    status: int
    colour: str
    upstream: str
    problem: str

    def as_dict(self) -> dict[str, Any]:
        """The shape that users see."""
        return {
            "class": self.question.client_class,
            "meant": self.question.meant,
            "colour": self.colour or None,
            "answered": self.upstream or None,
            "status": self.status,
            "problem": self.problem,
        }


def questions(state: State, count: int) -> list[Question]:
    """``count`` classes of each colour, those at the border among them; in state none just as many of all."""
    if state.colour is None:
        return [Question(name, None) for name in samples(CLASSES, count)]
    by_colour = classes_of(state)
    return [Question(name, colour) for colour in COLOURS for name in samples(by_colour[colour], count)]


def judge(question: Question, answer: Answer, upstreams: Upstreams) -> Finding:
    """Whether the last upstream that was tried is one of the colour meant, and did not answer with an error."""
    upstream = answer.headers.get("x-greenlight-upstream", "").replace(" : ", ", ").split(", ")[-1]
    colour = answer.headers.get("x-greenlight-colour", "")
    problem = answer.error or _problem(question, answer, colour, upstream, upstreams)
    return Finding(question, answer.status, colour, upstream, problem)


def _problem(question: Question, answer: Answer, colour: str, upstream: str, upstreams: Upstreams) -> str:
    if not colour:
        return f"status {answer.status} without the answer's colour: the tester's token was not accepted"
    if answer.headers.get("x-greenlight-class") != question.client_class:
        return f"taken for class {answer.headers.get('x-greenlight-class')}"
    if question.meant is None:
        return "" if (colour, answer.status) == ("none", UNSERVED) else f"status {answer.status} from {colour}"
    if colour != question.meant:
        return f"sent to {colour}"
    if upstream not in upstreams[question.meant]:
        return f"answered by {upstream or 'no upstream'}, not by {question.meant}"
    return f"status {answer.status} from {upstream}" if answer.status >= 500 else ""


def counted(findings: Iterable[Finding]) -> dict[str, dict[str, int]]:
    """``{"blue": {"asked": 3, "answered": 3}}`` per colour meant (``none`` for nobody)."""
    counts: dict[str, dict[str, int]] = {}
    for finding in findings:
        count = counts.setdefault(finding.question.meant or "none", {"asked": 0, "answered": 0})
        count["asked"] += 1
        count["answered"] += not finding.problem
    return counts
