# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import HttpAnswer
from ansible_collections.greenlight.deploy.plugins.module_utils.health.checks import (
    HttpCheck,
    HttpExpectation,
    HttpRequest,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.verdict import fill, http_problems, mismatch


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}),
        ([1, {"a": 1}], [1, {"a": 1, "b": 2}]),
        ("green/*", "green/r1/v1"),
        (1, 1.0),
        (None, None),
    ],
)
def test_what_fits(expected, actual):
    assert mismatch(expected, actual) == ""


@pytest.mark.parametrize(
    ("expected", "actual", "problem"),
    [
        ({"a": 1}, {}, "a is missing"),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, "a.b is 2, expected 1"),
        ({"a": [1, 2]}, {"a": [1]}, "a is [1], expected a list of 2"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "a[1] is 3, expected 2"),
        ({"a": True}, {"a": 1}, "a is 1, expected true"),
        ({"a": 1}, [1], "the answer is [1], expected an object"),
        ("green/*", "blue/r1", 'the answer is "blue/r1", expected "green/*"'),
        ("ok", None, 'the answer is null, expected "ok"'),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(expected, actual, problem):
    assert mismatch(expected, actual) == problem


def test_long_values_are_cut():
    assert len(mismatch("a", "b" * 500)) < 140


def problems(answer: HttpAnswer, wanted=(), max_latency=None, **expect) -> list[str]:
    check = HttpCheck("one", HttpRequest(), HttpExpectation(**expect), max_latency)
    return http_problems(check, answer, wanted, "u1")


def test_an_answer_that_never_came_has_one_problem():
    assert problems(HttpAnswer(0, error="connection refused", kind="connect"), json={"a": 1}) == ["connection refused"]


def test_everything_that_is_wrong_is_said_at_once():
    answer = HttpAnswer(301, {"location": "https://x/", "x-a": "1"}, b"<html>", 0.5)
    found = problems(answer, (("X-Greenlight-Served-By", "green/*"), ("X-A", "2")), 0.1, json={"a": 1}, text="{unique}")
    assert found == [
        "status 301, expected 200 (redirects to https://x/)",
        "header X-Greenlight-Served-By is missing",
        "header X-A is '1', expected '2'",
        "body is not JSON",
        "body without '{unique}'",
        "took 500 ms, at most 100 ms wanted",
    ]


def test_a_good_answer_has_no_problem():
    answer = HttpAnswer(201, {"x-a": "green/1"}, b'{"id": "u1", "more": 1}', 0.01)
    assert problems(answer, (("X-A", "green/*"),), 1.0, status=(200, 201), json={"id": "{unique}"}, text="more") == []


def test_a_wrong_field_is_named():
    assert problems(HttpAnswer(200, {}, b'{"a": 2}'), json={"a": 1}) == ["body: a is 2, expected 1"]


def test_places_are_filled_everywhere_and_other_braces_stay():
    value = {"a": ["{unique}", '{"json": {}}'], "b": 1, "c": "/x/{answer.up.id}"}
    assert fill(value, "u1", {"up": {"id": 7}}) == {"a": ["u1", '{"json": {}}'], "b": 1, "c": "/x/7"}


@pytest.mark.parametrize("answer", [None, {}, {"up": 1}])
def test_a_place_that_the_answer_has_not_is_an_error(answer):
    with pytest.raises(KeyError):
        fill("{answer.up.id}", "u1", answer)
