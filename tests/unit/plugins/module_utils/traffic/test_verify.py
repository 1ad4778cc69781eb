# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import parse_state
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import (
    Answer,
    Question,
    counted,
    judge,
    questions,
)
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import UPSTREAMS

GREEN = Question("c00", "green")
NOBODY = Question("c00", None)


def answer(status=200, colour="green", upstream="10.0.0.21:8201", name="c00"):
    return Answer(
        status, {"x-greenlight-colour": colour, "x-greenlight-upstream": upstream, "x-greenlight-class": name}
    )


def test_questions_on_both_sides_of_the_border():
    asked = [(one.client_class, one.meant) for one in questions(parse_state("green-10"), 2)]
    assert asked == [("c10", "blue"), ("c99", "blue"), ("c00", "green"), ("c09", "green")]


def test_in_state_none_nobody_is_meant():
    assert {one.meant for one in questions(parse_state("none"), 3)} == {None}


@pytest.mark.parametrize(
    ("question", "given", "problem"),
    [
        (GREEN, answer(), ""),
        (GREEN, answer(404), ""),
        (GREEN, answer(upstream="10.0.0.22:8201, 10.0.0.21:8201"), ""),
        (GREEN, answer(upstream="10.0.0.22:8201 : 10.0.0.21:8201"), ""),
        (GREEN, answer(upstream="10.0.0.21:8201, 10.0.0.21:8101"), "answered by 10.0.0.21:8101, not by green"),
        (GREEN, answer(upstream=""), "answered by no upstream, not by green"),
        (GREEN, answer(colour="blue", upstream="10.0.0.21:8101"), "sent to blue"),
        (GREEN, answer(name="c01"), "taken for class c01"),
        (GREEN, answer(502), "status 502 from 10.0.0.21:8201"),
        (GREEN, Answer(200, {}), "status 200 without the answer's colour: the tester's token was not accepted"),
        (GREEN, Answer(0, {}, "no answer"), "no answer"),
        (NOBODY, answer(503, "none", ""), ""),
        (NOBODY, answer(200, "blue"), "status 200 from blue"),
    ],
)
def test_what_an_answer_shows(question, given, problem):
    assert judge(question, given, UPSTREAMS).problem == problem


def test_answers_are_counted_by_the_colour_meant():
    blue = Question("c99", "blue")
    found = [judge(GREEN, answer(), UPSTREAMS), judge(GREEN, answer(502), UPSTREAMS), judge(blue, answer(), UPSTREAMS)]
    assert counted(found) == {"green": {"asked": 2, "answered": 1}, "blue": {"asked": 1, "answered": 0}}


def test_what_users_see():
    assert judge(GREEN, answer(), UPSTREAMS).as_dict() == {
        "class": "c00",
        "meant": "green",
        "colour": "green",
        "answered": "10.0.0.21:8201",
        "status": 200,
        "problem": "",
    }
