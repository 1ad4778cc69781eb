# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares what came with what was wanted; the problems are sentences, no problem is an empty list."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import HttpAnswer, in_ms
from ansible_collections.greenlight.deploy.plugins.module_utils.health.checks import HeaderPairs, HttpCheck

_PLACE = re.compile(r"\{(unique|answer\.[A-Za-z0-9_.-]+)\}")


def text_matches(expected: str, actual: str) -> bool:
    """Equal, or begins with what stands before a final ``*``."""
    if expected.endswith("*"):
        return actual.startswith(expected[:-1])
    return actual == expected


def mismatch(expected: Any, actual: Any, where: str = "") -> str:
    """The first place where ``actual`` is not what ``expected`` asks for; empty when it is.

    Mappings: each expected key must be there, others may be. Lists: same length, item by item. Texts may end in
    ``*``. True is not 1.
    """
    name = where or "the answer"
    if isinstance(expected, Mapping):
        return _mapping_mismatch(expected, actual, where)
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(actual) != len(expected):
            return f"{name} is {_short(actual)}, expected a list of {len(expected)}"
        problems = (
            mismatch(want, have, f"{where}[{at}]") for at, (want, have) in enumerate(zip(expected, actual, strict=True))
        )
        return next(filter(None, problems), "")
    if isinstance(expected, str) and isinstance(actual, str):
        same = text_matches(expected, actual)
    else:
        same = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
    return "" if same else f"{name} is {_short(actual)}, expected {_short(expected)}"


def _mapping_mismatch(expected: Mapping[str, Any], actual: Any, where: str) -> str:
    if not isinstance(actual, Mapping):
        return f"{where or 'the answer'} is {_short(actual)}, expected an object"
    for key, value in expected.items():
        path = f"{where}.{key}" if where else str(key)
        if key not in actual:
            return f"{path} is missing"
        problem = mismatch(value, actual[key], path)
        if problem:
            return problem
    return ""


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def http_problems(check: HttpCheck, answer: HttpAnswer, wanted: HeaderPairs, unique: str) -> list[str]:
    """What is wrong with an answer. ``wanted`` are headers that every answer must carry."""
    if answer.error:
        return [answer.error]
    expect = check.expect
    problems = []
    if answer.status not in expect.status:
        problems.append(f"status {answer.status}, expected {' or '.join(map(str, expect.status))}{_redirect(answer)}")
    problems += header_problems((*expect.headers, *wanted), answer.headers)
    if expect.json is not None:
        problems.append(json_problem(fill(expect.json, unique), answer.json(), "body"))
    if expect.text and fill(expect.text, unique) not in answer.body.decode("utf-8", "replace"):
        problems.append(f"body without {expect.text!r}")
    if check.max_latency is not None and answer.latency_s > check.max_latency:
        problems.append(f"took {in_ms(answer.latency_s)}, at most {in_ms(check.max_latency)} wanted")
    return [problem for problem in problems if problem]


def _redirect(answer: HttpAnswer) -> str:
    location = answer.header("location")
    return f" (redirects to {location})" if location else ""


def header_problems(wanted: HeaderPairs, headers: Mapping[str, str]) -> list[str]:
    """Which of the wanted headers are missing or differ; names of ``headers`` are lower-case."""
    problems = []
    for name, value in wanted:
        actual = headers.get(name.lower())
        if actual is None:
            problems.append(f"header {name} is missing")
        elif not text_matches(value, actual):
            problems.append(f"header {name} is {actual!r}, expected {value!r}")
    return problems


def json_problem(expected: Any, actual: Any, name: str) -> str:
    """:func:`mismatch` for a whole body or message that may not be JSON at all (``actual`` None)."""
    if actual is None and expected is not None:
        return f"{name} is not JSON"
    problem = mismatch(expected, actual)
    return f"{name}: {problem}" if problem else ""


def fill(value: Any, unique: str, answer: Any = None) -> Any:
    """Replace ``{unique}`` and ``{answer.a.b}`` in every text of a JSON value; other braces stay as they are.

    Raises KeyError when the answer has no such key.
    """
    if isinstance(value, str):
        return _PLACE.sub(lambda match: unique if match[1] == "unique" else _lookup(match[1], answer), value)
    if isinstance(value, Mapping):
        return {key: fill(item, unique, answer) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, unique, answer) for item in value]
    return value


def _lookup(place: str, answer: Any) -> str:
    for key in place.split(".")[1:]:
        if not isinstance(answer, Mapping) or key not in answer:
            raise KeyError(place)
        answer = answer[key]
    return str(answer)
