# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.further import (
    NotMeasured,
    fill,
    judged,
    not_measured,
    number_in,
    number_of_prometheus,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Outcome


@pytest.mark.parametrize(("text", "value"), [("3\n", 3.0), (" 0.25 ", 0.25), ("-1e3", -1000.0)])
def test_a_number(text, value):
    assert number_in(text, "here") == value


@pytest.mark.parametrize("text", ["", "none", "1 2", "nan", "inf", "3 conflicts"])
def test_no_number(text):
    with pytest.raises(NotMeasured, match="is not a number"):
        number_in(text, "here")


VECTOR = '{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}'
ONE = '{"metric":{},"value":[1764000000,"0.25"]}'


@pytest.mark.parametrize("text", [VECTOR.format(ONE), '{"data":{"resultType":"scalar","result":[1764000000,"0.25"]}}'])
def test_prometheus_answers(text):
    assert number_of_prometheus(text, "prom") == 0.25


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (VECTOR.format(""), "yields 0 series"),
        (VECTOR.format(f"{ONE},{ONE}"), "yields 2 series"),
        (VECTOR.format(ONE.replace("0.25", "NaN")), "is not a number"),
        ('{"status":"error","error":"parse error"}', "no answer of Prometheus's"),
        ("<html>", "no answer of Prometheus's"),
        ("[]", "no answer of Prometheus's"),
    ],
)
def test_prometheus_does_not(text, why):
    with pytest.raises(NotMeasured, match=why):
        number_of_prometheus(text, "prom")


@pytest.mark.parametrize(
    ("limits", "value", "outcome", "why"),
    [
        ({"above": 5}, 5, Outcome.GOOD, ""),
        ({"above": 5}, 5.5, Outcome.BAD, "conflicts is 5.5, limit at most 5"),
        ({"above": 0}, 1, Outcome.BAD, "conflicts is 1, limit at most 0"),
        ({"below": 95, "above": None}, 95, Outcome.GOOD, ""),
        ({"below": 95}, 94, Outcome.BAD, "conflicts is 94, limit at least 95"),
    ],
)
def test_limits(limits, value, outcome, why):
    metric = judged({"name": "conflicts", "kind": "command", **limits}, value)
    assert (metric.outcome, metric.why, metric.critical, metric.dry_run) == (outcome, why, False, False)


def test_what_it_is_for_goes_with_it():
    metric = judged({"name": "conflicts", "above": 5, "critical": True, "dry_run": True}, 7)
    assert (metric.critical, metric.dry_run, metric.limit) == (True, True, 5.0)
    metric = not_measured({"name": "conflicts", "above": 5}, NotMeasured("nobody answered"))
    assert (metric.outcome, metric.why) == (Outcome.UNKNOWN, "conflicts could not be measured: nobody answered")


def test_names_are_filled_in_and_other_braces_stay():
    assert fill('rate(x{c="{colour}"}[1m]) {release}', {"colour": "green", "release": "r1"}) == (
        'rate(x{c="green"}[1m]) r1'
    )
