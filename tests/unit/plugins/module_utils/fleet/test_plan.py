# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from typing import Any

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import plan

NOW = 1_800_000_000.0
LIMITS = plan.Limits(disk_free=100, clock_skew=30)
FLEET = plan.Fleet(["edge"], ["app1", "app2"], {"edge": "192.0.2.1", "app1": "192.0.2.11", "app2": "192.0.2.12"})
APPLICATION = {
    "app": "shop",
    "domain": "shop.example.com",
    "python": "python3",
    "services": [{"name": "web", "instances": 2, "ports": {"blue": 8101, "green": 8201}}],
    "traffic": {"steps": [10, 50, 100]},
    "waves": ["1", "100%"],
    "soak": 600,
}
SOURCE = {
    "release": "20261122T124500Z-1a2b3c4",
    "sha": "1a2b3c4" + "0" * 33,
    "ref": "v2",
    "version": "v2",
    "archive": "/cache/a.tar.gz",
    "archive_sha256": "0" * 64,
    "lock": {"packages": {}},
}


def host(**differences: Any) -> dict[str, Any]:
    seen: dict[str, Any] = {
        "time": NOW,
        "architecture": "x86_64",
        "python": "3.11.2",
        "systemd": "252",
        "nginx": "",
        "disk_free": 200,
        "addresses": ["127.0.0.1", "192.0.2.1", "192.0.2.11", "192.0.2.12"],
        "ports": {},
        "requires": [],
        "colours": {"blue": "", "green": ""},
        "answers": False,
        "traffic": {"serving": None, "candidate": None, "releases": {"blue": None, "green": None}},
    }
    return {**seen, **differences}


def fleet_seen(**differences: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What every host was seen to be; ``edge=``, ``app1=``, ``app2=`` say what is different there."""
    return {name: host(**differences.get(name, {})) for name in ("edge", "app1", "app2")}


def problems(seen: dict[str, dict[str, Any]]) -> list[str]:
    return [str(problem) for problem in plan.judge(APPLICATION, FLEET, seen, LIMITS, NOW)]


def test_a_good_fleet_has_no_problem() -> None:
    assert problems(fleet_seen()) == []


HOLDER = {"address": "0.0.0.0", "port": 8201, "program": "nc", "pid": 17, "unit": ""}


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (fleet_seen(app1={"disk_free": 1}), "app1: 0 MiB are free below /opt"),
        (fleet_seen(app2={"time": NOW - 300}), "app2: its clock differs by 300 s"),
        (fleet_seen(app1={"python": "3.9.2"}), "app1: python3 3.9.2 is too old. Expected: 3.10 or newer"),
        (fleet_seen(app1={"python": ""}), "app1: python3 was not found"),
        (fleet_seen(edge={"systemd": "241"}), "edge: systemd 241 is too old"),
        (fleet_seen(edge={"nginx": "1.14.2"}), "edge: nginx 1.14.2 is too old"),
        (fleet_seen(app1={"ports": {"8201": HOLDER}}), "app1: port 8201 is held by nc (pid 17, no unit)"),
        (fleet_seen(edge={"ports": {"443": {**HOLDER, "program": "apache2"}}}), "edge: port 443 is held by apache2"),
        (fleet_seen(app2={"addresses": ["127.0.0.1"]}), "192.0.2.12 is not an address of this host"),
        (
            fleet_seen(app1={"requires": [{"endpoint": "tcp://db:5432", "error": "Connection refused"}]}),
            "app1: tcp://db:5432 does not answer: Connection refused",
        ),
        (fleet_seen(app2={"python": "3.13.5"}), "the hosts differ in python: app1 3.11, app2 3.13"),
        (fleet_seen(app2={"architecture": "aarch64"}), "the hosts differ in architecture"),
    ],
)
def test_what_speaks_against_a_deployment_is_said(seen: dict[str, dict[str, Any]], said: str) -> None:
    found = problems(seen)
    assert len(found) == 1, found
    assert said in found[0]


def test_ports_of_our_own_units_are_no_problem() -> None:
    own = {"8201": {**HOLDER, "program": "python3", "unit": "shop-web-green@8201.service"}}
    assert problems(fleet_seen(app1={"ports": own}, edge={"ports": {"443": {**HOLDER, "program": "nginx"}}})) == []


def test_a_host_that_was_lost_is_a_problem() -> None:
    seen = fleet_seen()
    del seen["app2"]
    assert problems(seen) == ["app2: not reached. Expected: every host of the fleet. Do: see the error above."]


def decide(
    seen: dict[str, dict[str, Any]],
    private: list[str] | None = None,
    *,
    application: dict[str, Any] | None = None,
    fleet: plan.Fleet = FLEET,
    redeploy: bool = False,
) -> dict[str, Any]:
    described = application or APPLICATION
    return plan.decide(described, fleet, seen, SOURCE, private or [], deployment="this-run", redeploy=redeploy)


def test_the_first_deployment_is_blue_in_one_step() -> None:
    made = decide(fleet_seen())
    assert (made["candidate"], made["serving"], made["steps"], made["first"]) == ("blue", "", [100], True)
    assert made["sentence"] == "First deployment: v2 (1a2b3c4) as blue."
    assert made["unchanged"] == "Nothing serves, as before."
    assert (made["deployment"], made["soak"]) == ("this-run", 0)


def serving(colour: str, **release: str) -> dict[str, dict[str, Any]]:
    known = {"id": "20261121T000000Z-aaaaaaa", "sha": "a" * 40, "ref": "v1", **release}
    record = {"serving": colour, "candidate": None, "releases": {"blue": None, "green": None, colour: known}}
    return fleet_seen(edge={"traffic": record, "answers": True}, app1={"colours": {"blue": "old", "green": ""}})


@pytest.mark.parametrize(("now", "then"), [("blue", "green"), ("green", "blue")])
def test_the_idle_colour_is_the_candidate(now: str, then: str) -> None:
    made = decide(serving(now))
    assert (made["serving"], made["candidate"], made["steps"]) == (now, then, [10, 50, 100])
    assert made["soak"] == 600
    assert made["sentence"] == f"v1 serves as {now}; v2 (1a2b3c4) as {then} takes over by 10 % -> 50 % -> 100 %."
    assert made["protect"] == ["20261121T000000Z-aaaaaaa", "old"]


def test_the_same_commit_with_the_same_settings_is_nothing_to_do() -> None:
    same = plan.fingerprint(APPLICATION, FLEET, ["private"], SOURCE["sha"])
    seen = serving("blue", fingerprint=same, sha=SOURCE["sha"], ref="v2")
    assert decide(seen, ["private"])["nothing_to_do"]
    assert not decide(seen, ["another secret"])["nothing_to_do"]
    assert not decide(seen, ["private"], redeploy=True)["nothing_to_do"]
    more = copy.deepcopy(APPLICATION)
    more["services"][0]["instances"] = 3
    assert not decide(seen, ["private"], application=more)["nothing_to_do"]


def test_instances_listen_on_loopback_only_beside_the_one_proxy() -> None:
    single = plan.Fleet(["one"], ["one"], {"one": "192.0.2.9"})
    assert single.bind_address("one") == "127.0.0.1"
    assert FLEET.bind_address("app1") == "192.0.2.11"


def test_every_instance_is_known_by_colour_and_host() -> None:
    made = decide(fleet_seen())
    assert [instance["port"] for instance in made["instances"]["green"]["app2"]] == [8201, 8202]
    assert made["instances"]["blue"]["app1"][0] == {
        "address": "192.0.2.11",
        "port": 8101,
        "server_name": "shop.example.com",
        "label": "app1 web-blue@8101",
    }


@pytest.mark.parametrize(
    ("text", "numbers"), [("3.11.2", (3, 11, 2)), ("1.22.1-9", (1, 22, 1)), ("252", (252,)), ("", ()), ("x", ())]
)
def test_versions_are_compared_as_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert plan.version_tuple(text) == numbers


def test_where_the_serving_version_is_dead_the_new_one_takes_over_at_once() -> None:
    seen = serving("blue", fingerprint=plan.fingerprint(APPLICATION, FLEET, [], SOURCE["sha"]))
    seen["edge"]["answers"] = False
    made = decide(seen)
    assert (made["steps"], made["nothing_to_do"]) == ([100], False)
    assert made["sentence"] == "v1 (blue) does not answer; v2 (1a2b3c4) as green takes over at once."
    assert made["unchanged"] == "Nothing serves, as before."


def with_standby(*hosts: str, **record: Any) -> dict[str, dict[str, Any]]:
    """Green serves; blue has a release by the record, and on ``hosts``."""
    old = {"id": "old", "ref": "v0"}
    traffic = {"serving": "green", "candidate": None, "releases": {"blue": old, "green": {"id": "new"}}, **record}
    return fleet_seen(edge={"traffic": traffic}, **{name: {"colours": {"blue": "old"}} for name in hosts})


def test_what_the_idle_colour_was_is_kept_for_the_way_back() -> None:
    made = decide(with_standby("app1", "app2"))
    assert made["standby"] == {"id": "old", "ref": "v0"}


@pytest.mark.parametrize("seen", [with_standby("app1"), with_standby("app1", "app2", bad=["old"]), fleet_seen()])
def test_a_standby_must_be_on_every_host_and_good(seen: dict[str, dict[str, Any]]) -> None:
    assert decide(seen)["standby"] == {}


NOW_PRINT = plan.fingerprint(APPLICATION, FLEET, [], SOURCE["sha"])
OLD = {"id": "20261121T000000Z-aaaaaaa", "ref": "v1", "fingerprint": "old", "status": "good"}
NEW = {"id": "20261122T110000Z-1a2b3c4", "ref": "v2", "fingerprint": NOW_PRINT}


def killed(*, answers: bool = True, bad: tuple[str, ...] = (), new: dict[str, str] | None = None, **record: Any) -> Any:
    """Blue serves; green got a share and the run was killed; the new release is on every host."""
    new = new or NEW
    traffic = {
        "serving": "blue", "candidate": "green", "share": 50, "updated": "2", "bad": bad,
        "releases": {"blue": OLD, "green": new}, **record,
    }  # fmt: skip
    manifest = {"release": new["id"], "ref": "v2", "version": "v2", "fingerprint": new["fingerprint"]}
    app = {"colours": {"blue": OLD["id"], "green": new["id"]}, "releases": [manifest]}
    return fleet_seen(edge={"traffic": traffic, "answers": answers}, app1=app, app2=app)


def test_the_same_deployment_goes_on_where_it_was_killed() -> None:
    made = decide(killed())
    assert (made["resume"], made["home_first"], made["nothing_to_do"]) == (True, False, False)
    assert (made["serving"], made["candidate"], made["steps"]) == ("blue", "green", [50, 100])
    assert made["release"] == NEW["id"]
    assert (made["standby"], made["soak"]) == ({}, 0)
    assert made["sentence"] == (
        "An earlier run did not finish on edge: v2 (1a2b3c4) as green goes on by 50 % -> 100 %."
    )


@pytest.mark.parametrize(
    "seen",
    [
        killed(new={**NEW, "fingerprint": "another"}),
        killed(new={**NEW, "fingerprint": "another"}, candidate=None, share=0, serving="green"),
        killed(bad=(NEW["id"],)),
    ],
    ids=["another version", "nothing under way", "marked as bad"],
)
def test_another_deployment_is_not_gone_on_with(seen: Any) -> None:
    made = decide(seen)
    assert not made["resume"]
    assert made["release"] == SOURCE["release"]
    assert made["home_first"] == (seen["edge"]["traffic"]["candidate"] is not None)


def test_the_clients_go_home_before_another_version_comes() -> None:
    made = decide(killed(new={**NEW, "fingerprint": "another"}))
    assert (made["serving"], made["candidate"], made["steps"]) == ("blue", "green", [10, 50, 100])
    assert made["sentence"] == (
        "Every client of edge goes back to blue first. v1 serves as blue; v2 (1a2b3c4) as green takes over by "
        "10 % -> 50 % -> 100 %."
    )


def test_the_clients_go_home_when_the_version_that_serves_is_wanted() -> None:
    made = decide(killed(new={**NEW, "fingerprint": "x"}, releases={"blue": {**OLD, "fingerprint": NOW_PRINT}}))
    assert (made["home_first"], made["nothing_to_do"]) == (True, True)
    assert made["sentence"] == "v2 (1a2b3c4) already serves as blue; every client of edge goes there too."


def test_nobody_is_sent_home_to_a_dead_colour() -> None:
    with pytest.raises(InvalidInput, match=r"edge did not finish .* and blue, .* does not answer.*deploy v2 again"):
        decide(killed(new={**NEW, "fingerprint": "another"}, answers=False))
    assert decide(killed(answers=False))["steps"] == [100]


def test_a_proxy_that_is_new_joins() -> None:
    fleet = plan.Fleet(["edge", "edge2"], FLEET.apps, {**FLEET.addresses, "edge2": "192.0.2.2"})
    live = {"serving": "blue", "candidate": None, "updated": "1", "releases": {"blue": {**OLD, "fingerprint": "x"}}}
    seen = {**fleet_seen(edge={"traffic": live, "answers": True}), "edge2": host()}
    made = decide(seen, fleet=fleet)
    assert (made["serving"], made["home_first"], made["astray"]) == ("blue", True, ["edge2"])
    assert made["known"] == {"blue": {**OLD, "fingerprint": "x"}}


def test_a_run_that_was_killed_while_it_settled_settles_the_others() -> None:
    fleet = plan.Fleet(["edge", "edge2"], FLEET.apps, {**FLEET.addresses, "edge2": "192.0.2.2"})
    new = {**NEW, "fingerprint": plan.fingerprint(APPLICATION, fleet, [], SOURCE["sha"])}
    seen = killed(share=100, new=new)
    settled = {"serving": "green", "candidate": None, "previous": "blue", "updated": "3"}
    seen["edge2"] = host(traffic={**seen["edge"]["traffic"], **settled}, answers=True)
    made = decide(seen, fleet=fleet)
    assert (made["resume"], made["serving"], made["candidate"], made["steps"]) == (True, "blue", "green", [])
    assert made["sentence"].endswith("v2 (1a2b3c4) as green goes on by giving it all clients.")


def installed(release: str, **differences: str) -> dict[str, str]:
    return {"release": release, "ref": "tag", "version": "tag", "fingerprint": NOW_PRINT, **differences}


@pytest.mark.parametrize(
    ("found", "bad", "release", "version"),
    [
        ([], (), SOURCE["release"], "v2"),
        ([installed("20261122T100000Z-1a2b3c4")], (), "20261122T100000Z-1a2b3c4", "tag"),
        ([installed("2-b"), installed("1-a"), installed("3-c", fingerprint="other")], (), "2-b", "tag"),
        ([installed("1-a")], ("1-a",), SOURCE["release"], "v2"),
        ([installed("20261121T000000Z-aaaaaaa")], (), SOURCE["release"], "v2"),
    ],
    ids=["nothing built", "built by a killed run", "the newest", "a bad one", "the one that serves"],
)
def test_what_was_built_for_the_same_is_not_built_again(
    found: list[dict[str, str]], bad: tuple[str, ...], release: str, version: str
) -> None:
    seen = serving("blue")
    seen["edge"]["traffic"]["bad"] = bad
    seen["app1"]["releases"] = found
    made = decide(seen, redeploy=True)
    assert (made["release"], made["version"], made["ref"]) == (release, version, version)
    assert made["sha"] == SOURCE["sha"]


SEPARATE = plan.Fleet(["edge"], ["app1", "app2"], FLEET.addresses, {"blue": ["app1"], "green": ["app2"]})


def test_every_host_runs_both_colours_where_they_have_no_groups_of_their_own() -> None:
    made = decide(serving("blue"))
    assert made["hosts"] == {"blue": ["app1", "app2"], "green": ["app1", "app2"]}
    assert made["waves"] == [["app1"], ["app2"]]


def test_a_colour_with_hosts_of_its_own_runs_only_there() -> None:
    made = decide(serving("blue"), fleet=SEPARATE)
    assert made["waves"] == [["app2"]]
    assert made["hosts"] == {"blue": ["app1"], "green": ["app2"]}
    assert made["build_host"] == "app2"
    assert {colour: list(hosts) for colour, hosts in made["instances"].items()} == made["hosts"]
    assert made["bind"] == {"app1": "192.0.2.11", "app2": "192.0.2.12"}


def test_a_standby_must_be_on_the_hosts_of_its_colour_only() -> None:
    assert decide(with_standby("app1"), fleet=SEPARATE)["standby"] == {"id": "old", "ref": "v0"}
    assert decide(with_standby("app2"), fleet=SEPARATE)["standby"] == {}


def test_other_hosts_for_a_colour_are_another_deployment() -> None:
    assert plan.fingerprint(APPLICATION, SEPARATE, [], "a") != plan.fingerprint(APPLICATION, FLEET, [], "a")


def test_hosts_are_judged_by_the_colour_that_they_run() -> None:
    taken = fleet_seen(app1={"ports": {"8201": HOLDER}, "python": "3.13.5"})
    assert plan.judge(APPLICATION, SEPARATE, taken, LIMITS, NOW) == []
    assert len(problems(taken)) == 1


def test_the_id_of_a_run_is_its_time_and_a_nonce() -> None:
    assert plan.deployment_id(NOW, "9f3a") == "20270115T080000Z-9f3a"
