# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import rollback

RELEASES = {"blue": {"id": "b1", "ref": "v1"}, "green": {"id": "g2", "ref": "v2"}}


def proxy(**differences: Any) -> dict[str, Any]:
    return {"serving": "green", "candidate": None, "previous": "blue", "releases": RELEASES, **differences}


def test_a_finished_deployment_goes_back_to_the_last_good_colour() -> None:
    assert rollback.decide({"edge": proxy()}) == {
        "colour": "blue",
        "left": "green",
        "release": "b1",
        "version": "v1",
        "left_release": "g2",
        "left_version": "v2",
    }


def test_a_shift_under_way_goes_back_to_what_served_before_it() -> None:
    assert rollback.decide({"edge": proxy(serving="blue", candidate="green", previous=None)})["colour"] == "blue"


def test_a_run_that_was_killed_between_two_proxies_goes_home_on_both() -> None:
    half = {"edge1": proxy(), "edge2": proxy(serving="blue", candidate="green", previous=None)}
    assert rollback.decide(half)["colour"] == "blue"


@pytest.mark.parametrize(
    ("proxies", "said"),
    [
        ({}, "no proxy was reached"),
        ({"edge": proxy(previous=None)}, "green serves and there is no earlier good version"),
        ({"edge": proxy(serving=None, previous=None)}, "nothing is served yet"),
        ({"a": proxy(), "b": proxy(serving="blue", previous="green")}, "different colours: a to blue, b to green"),
        ({"edge": proxy(releases={"green": RELEASES["green"]})}, "blue has no release"),
    ],
)
def test_what_stands_in_the_way_is_said(proxies: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        rollback.decide(proxies)


def test_a_colour_can_be_named() -> None:
    assert rollback.way_to("green", {"edge": proxy(serving="blue")})["release"] == "g2"


GOOD_BLUE = {**RELEASES, "blue": {**RELEASES["blue"], "status": "good"}}


def test_what_stands_by_after_a_deployment_that_failed_is_a_way_back() -> None:
    assert rollback.decide({"edge": proxy(previous=None, releases=GOOD_BLUE)})["colour"] == "blue"


def test_a_bad_release_that_stands_by_is_none() -> None:
    with pytest.raises(InvalidInput, match="no earlier good version"):
        rollback.decide({"edge": proxy(previous=None, releases=GOOD_BLUE, bad=["b1"])})
