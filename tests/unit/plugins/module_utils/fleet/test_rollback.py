# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import plan, rollback

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
    taken = [rollback.Step("a", points=HOME["seconds"]), slow, rollback.Step("c", "unreachable")]
    times = rollback.timeline(taken, 2.0, {})
    assert times == {
        "a": {"asked": 1.8, "switched": 1.9, "verified": 2.0},
        "b": {"asked": 1.0, "switched": 1.9, "verified": 2.0},
    }
    assert rollback.latest(times) == {"asked": 1.8, "switched": 1.9, "verified": 2.0}
    assert rollback.timeline(taken, 99.0, times) == times
    assert rollback.latest({}) == {}


POINTS = {"asked": 1.8, "switched": 1.9, "verified": 2.0}


def test_the_end_in_one_sentence() -> None:
    done = [rollback.Step("edge1", points=HOME["seconds"])]
    assert rollback.ending(WAY, done, POINTS, 60) == (
        "v1 serves every client as blue. Switched 1.9 s and verified 2.0 s after the start; the budget is 60 s."
    )
    assert rollback.ending(WAY, done, POINTS, 1).endswith("the budget is 1 s, which was not kept.")


def test_a_check_which_switches_nothing_has_no_seconds_to_tell() -> None:
    done = [rollback.Step("edge1", points={"verified": 0.1})]
    assert rollback.ending(WAY, done, {"verified": 2.0}, 60) == "v1 serves every client as blue."


def test_the_end_says_where_it_is_still_to_be_done() -> None:
    lost = rollback.Step("edge2", "unreachable")
    assert rollback.ending(WAY, [rollback.Step("edge1", points=HOME["seconds"]), lost], POINTS, 60) == (
        "Not every host went back. Still to be done: edge2 (unreachable). v1 serves every client as blue of edge1. "
        "Switched 1.9 s and verified 2.0 s after the start; the budget is 60 s."
    )
    assert rollback.ending({}, [lost], {}, 60) == "Not every host went back. Still to be done: edge2 (unreachable)."


def test_only_the_result_of_this_way_counts() -> None:
    earlier = {**HOME, "way": {**WAY, "release": "b0"}}
    facts = {"edge": {"rollback_home_again": earlier, "rollback_home": HOME}}
    assert rollback.steps(["edge"], ["edge"], facts, "b1")[0].points == HOME["seconds"]
    assert rollback.steps(["edge"], ["edge"], facts, "b9")[0].problem == "unreachable"


def app(*releases: str) -> dict[str, Any]:
    return {
        "releases": [
            {"release": release, "sha": f"sha-{release}", "ref": "main", "version": f"v-{release}"}
            for release in releases
        ]
    }


HOSTS = {"blue": ["app1", "app2"], "green": ["app1", "app2"]}
BOTH = {"app1": app("b0", "b1", "g2"), "app2": app("b0", "b1", "g2")}


def test_code_goes_to_the_last_good_colour() -> None:
    way = rollback.decide_code({"edge": proxy()}, BOTH, HOSTS)
    assert (way["colour"], way["release"], way["left_release"], way["begun"], way["lost"]) == (
        "blue",
        "b1",
        "g2",
        ["app1", "app2"],
        [],
    )
    assert way["record"] == {"id": "b1", "sha": "sha-b1", "ref": "v1", "fingerprint": "", "status": "good"}
    assert (way["strange"], way["nothing_to_do"]) == (False, False)


def test_code_goes_to_a_release_of_before_both_colours_in_the_idle_one() -> None:
    way = rollback.decide_code({"edge": proxy()}, BOTH, HOSTS, "b0")
    assert (way["colour"], way["release"], way["version"], way["strange"]) == ("blue", "b0", "v-b0", True)
    assert way["record"]["sha"] == "sha-b0"


def test_without_a_good_colour_the_latest_good_release_that_is_installed_everywhere_is_chosen() -> None:
    seen = proxy(serving="blue", previous=None, bad=["g2"], good=["a9", "b0", "b1", "g2"])
    apps = {"app1": app("a9", "b0", "b1", "g2"), "app2": app("a9", "b1", "g2")}
    way = rollback.decide_code({"edge": seen}, apps, HOSTS)
    assert (way["release"], way["colour"]) == ("a9", "green")


def test_only_the_hosts_of_the_idle_colour_must_have_the_release() -> None:
    seen = proxy(serving="green", previous=None, bad=["b1"], good=["b0", "b1", "g2"])
    apps = {"app1": app("b0", "b1"), "app2": app("g2")}
    way = rollback.decide_code({"edge": seen}, apps, {"blue": ["app1"], "green": ["app2"]})
    assert (way["release"], way["colour"], way["begun"]) == ("b0", "blue", ["app1"])


def test_what_serves_already_is_nothing_to_do() -> None:
    assert rollback.decide_code({"edge": proxy()}, BOTH, HOSTS, "g2")["nothing_to_do"]
    assert rollback.decide_code({"edge": proxy(previous=None)}, BOTH, HOSTS)["nothing_to_do"]


def test_a_host_that_was_lost_stops_nobody() -> None:
    way = rollback.decide_code({"edge": proxy()}, {"app2": app("b1")}, HOSTS)
    assert (way["begun"], way["lost"]) == (["app2"], ["app1"])


@pytest.mark.parametrize(
    ("proxies", "apps", "named", "said"),
    [
        ({}, BOTH, "", "no proxy was reached"),
        ({"edge": proxy()}, {}, "", "no application host was reached"),
        ({"edge": proxy(candidate="blue")}, BOTH, "", "the clients are not home on edge.*--tags traffic"),
        ({"a": proxy(), "b": proxy(serving="blue")}, BOTH, "", "the clients are not home on b"),
        ({"edge": proxy(serving=None)}, BOTH, "", "the clients are not home on edge"),
        ({"edge": proxy(bad=["b0"])}, BOTH, "b0", "b0 was left as bad"),
        ({"edge": proxy()}, {**BOTH, "app2": app("b1", "g2")}, "b0", "b0 is not installed on app2.*one of b1, g2"),
    ],
)
def test_what_stands_in_the_way_of_code_is_said(
    proxies: dict[str, Any], apps: dict[str, Any], named: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        rollback.decide_code(proxies, apps, HOSTS, named)


APPLICATION = {
    "domain": "shop.test",
    "services": [{"name": "web", "instances": 1, "ports": {"blue": 8101, "green": 8201}}],
}
FLEET = plan.Fleet(["edge"], ["app1", "app2"], {"edge": "10.0.0.1", "app1": "10.0.0.2", "app2": "10.0.0.3"})


def test_the_way_back_is_a_plan_for_the_roles_of_a_deployment() -> None:
    way = rollback.decide_code({"edge": proxy()}, {"app2": app("b1")}, HOSTS)
    made = rollback.as_plan(way, APPLICATION, FLEET, "one")
    assert (made["serving"], made["candidate"], made["release"], made["version"]) == ("green", "blue", "b1", "v1")
    assert (made["hosts"]["blue"], made["hosts"]["green"], made["build_host"]) == (["app2"], ["app1", "app2"], "app2")
    assert made["bind"] == {"app1": "10.0.0.2", "app2": "10.0.0.3"}
    assert made["instances"]["blue"]["app2"][0]["port"] == 8101
    assert (made["ports"]["green"], made["nothing_to_do"], made["deployment"]) == ([8201], False, "one")


def test_a_rehearsal_takes_the_other_colour_and_says_how_long_it_took() -> None:
    way = rollback.other_way({"edge": proxy()})
    assert (way["colour"], way["left"]) == ("blue", "green")
    done, failed = rollback.Step("edge", points=HOME["seconds"]), rollback.Step("edge", "lost")
    assert rollback.rehearsed(way, [done], [done], [1.2, 0.8]) == (
        "Rehearsed with every client: to v1 (blue) in 1.2 s and back to v2 (green) in 0.8 s; the budget is 60 s."
    )
    assert rollback.rehearsed(way, [failed], [done], [1.2, 0.8]) == "The rehearsal failed: edge (lost)."


@pytest.mark.parametrize("name", ["production", "prod", "prod-eu"])
def test_clients_of_production_take_part_in_a_rehearsal_only_when_that_was_confirmed(name: str) -> None:
    with pytest.raises(InvalidInput, match="real clients"):
        rollback.require_rehearsal({name, "hosts"}, confirmed=False)
    rollback.require_rehearsal({name}, confirmed=True)
    rollback.require_rehearsal({"staging", "hosts", ""}, confirmed=False)
