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
    assert rollback.decide({"edge": proxy(serving="blue")}, "green")["release"] == "g2"


GOOD_BLUE = {**RELEASES, "blue": {**RELEASES["blue"], "status": "good"}}


def test_what_stands_by_after_a_deployment_that_failed_is_a_way_back() -> None:
    assert rollback.decide({"edge": proxy(previous=None, releases=GOOD_BLUE)})["colour"] == "blue"


def test_a_bad_release_that_stands_by_is_none() -> None:
    with pytest.raises(InvalidInput, match="no earlier good version"):
        rollback.decide({"edge": proxy(previous=None, releases=GOOD_BLUE, bad=["b1"])})


def test_a_proxy_that_is_home_already_has_no_say() -> None:
    home = proxy(serving="blue", previous=None, bad=["g2"])
    assert rollback.decide({"edge1": home, "edge2": proxy()})["left_release"] == "g2"


def test_after_the_dead_mans_switch_home_is_where_it_brought_the_clients() -> None:
    assert rollback.decide({"edge": proxy(serving="blue", previous=None, returned={"to": "blue"})})["left"] == "green"


@pytest.mark.parametrize(("release", "colour"), [("b1", "blue"), ("g2", "green"), ("x9", "")])
def test_a_named_release_is_found_among_the_colours(release: str, colour: str) -> None:
    assert rollback.colour_with(release, proxy()) == colour


def test_a_bad_release_is_never_chosen_even_when_it_is_named() -> None:
    with pytest.raises(InvalidInput, match="g2 was left as bad before"):
        rollback.colour_with("g2", proxy(bad=["g2"]))
    with pytest.raises(InvalidInput, match="b1 was left as bad before"):
        rollback.decide({"edge": proxy(bad=["b1"])}, "blue")


WAY = {"colour": "blue", "release": "b1", "version": "v1"}
HOME = {"home": True, "way": WAY, "problems": [], "seconds": {"asked": 0.1, "switched": 0.2, "verified": 0.3}}
ASLEEP = {"home": False, "way": WAY, "problems": ["health: status 502"], "seconds": {"asked": 0.1}}
FACTS: dict[str, dict[str, Any]] = {
    "edge1": {"rollback_home": HOME},
    "edge2": {"rollback_home": {"unreachable": True, "msg": "no route"}},
    "edge3": {"rollback_home": ASLEEP},
    "edge4": {"rollback_home": {"failed": True}, "fleet_step_failure": {"task": "switch", "reason": "disk full."}},
    "edge5": {"rollback_home": ASLEEP, "rollback_home_again": HOME},
    "edge6": {"rollback_home": HOME, "rollback_home_again": {"skipped": True}},
}


def test_what_each_proxy_did() -> None:
    found = rollback.steps(list(FACTS), [host for host in FACTS if host != "edge2"], FACTS)
    assert [(step.host, step.problem, step.asleep) for step in found] == [
        ("edge1", "", False),
        ("edge2", "unreachable", False),
        ("edge3", "blue does not answer: health: status 502", True),
        ("edge4", "disk full.", False),
        ("edge5", "", False),
        ("edge6", "", False),
    ]


def test_seconds_count_from_the_start_and_are_never_too_small() -> None:
    slow = rollback.Step("b", points={"asked": 0.1, "switched": 1.0, "verified": 1.1})
    assert rollback.points_of([rollback.Step("a", points=HOME["seconds"]), slow], 2.0) == {
        "asked": 1.8,
        "switched": 1.9,
        "verified": 2.0,
    }
    assert rollback.points_of([], 2.0) == {}


def test_the_end_in_one_sentence() -> None:
    done = [rollback.Step("edge1", points=HOME["seconds"])]
    assert rollback.ending(WAY, done, 2.0, 60) == (
        "v1 serves every client as blue. Switched 1.9 s and verified 2.0 s after the start; the budget is 60 s."
    )
    assert rollback.ending(WAY, done, 61.0, 60).endswith("the budget is 60 s, which was not kept.")


def test_the_end_says_where_it_is_still_to_be_done() -> None:
    lost = rollback.Step("edge2", "unreachable")
    assert rollback.ending(WAY, [rollback.Step("edge1", points=HOME["seconds"]), lost], 2.0, 60) == (
        "Not every proxy went back. Still to be done: edge2 (unreachable). v1 serves every client as blue of edge1. "
        "Switched 1.9 s and verified 2.0 s after the start; the budget is 60 s."
    )
    assert rollback.ending({}, [lost], 2.0, 60) == "Not every proxy went back. Still to be done: edge2 (unreachable)."
