# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import NotInstalled
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import CLASSES, parse_state
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.switch import (
    GivenBack,
    NotInForce,
    Wish,
    carry_out,
    plan,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Finding
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT


class Proxy:
    """Answers as the state in force says, except for classes that ``dead`` colours have."""

    def __init__(self, directory: Path) -> None:
        self.files = TrafficFiles(directory)
        self.dead: set[str] = set()
        self.asked = 0
        make = self.files.directory / "states"
        make.mkdir(parents=True)
        self.files.write_contact(CONTACT)

    def ask(self, contact, questions):
        self.asked += len(questions)
        return [
            Finding(one, 200, one.meant or "none", "somewhere", "dead" if one.meant in self.dead else "")
            for one in questions
        ]

    def do(self, *, check=False, now="now", **wish):
        return carry_out(self.files, self.ask, Wish(**wish), now, check=check)


@pytest.fixture
def proxy(tmp_path):
    return Proxy(tmp_path / "traffic")


@pytest.fixture
def blue(proxy):
    proxy.do(colour="blue", settle=True)
    proxy.asked = 0
    return proxy


def test_a_deployment_and_the_way_back(proxy):
    proxy.do(colour="blue", settle=True, releases={"blue": {"id": "one"}})
    for share in (10, 50, 100):
        result = proxy.do(colour="green", share=share, releases={"green": {"id": "two"}})
        assert result["after"]["state"] == f"green-{share}"
        assert result["verified"]["green"] == {"asked": 3, "answered": 3}
    result = proxy.do(colour="green", settle=True)
    assert (result["after"]["serving"], result["after"]["previous"], result["moved"]["classes"]) == (
        "green",
        "blue",
        [],
    )
    result = proxy.do(colour="blue", settle=True, bad=["two"])
    assert (result["after"]["serving"], result["after"]["previous"]) == ("blue", None)
    assert result["moved"] == {"classes": list(CLASSES), "from": "green", "to": "blue"}


def test_the_same_again_changes_nothing_but_is_asked_about(blue):
    first = blue.do(colour="green", share=10, now="first")
    again = blue.do(colour="green", share=10, now="later")
    assert (first["changed"], again["changed"]) == (True, False)
    assert again["after"]["updated"] == "first"
    assert again["moved"]["classes"] == []
    assert again["classes"]["green"] == list(CLASSES[:10])
    assert blue.asked == 12


def test_check_mode_says_what_would_move_and_does_nothing(blue):
    result = blue.do(colour="green", share=10, check=True)
    assert (result["changed"], result["after"]["state"], result["asked"]) == (True, "green-10", [])
    assert result["moved"]["classes"] == list(CLASSES[:10])
    assert (blue.files.state(), blue.files.record().share, blue.asked) == (parse_state("blue"), 0, 0)


def test_answers_that_are_wrong_undo_the_switch(blue):
    blue.dead = {"green"}
    with pytest.raises(NotInForce) as caught:
        blue.do(colour="green", share=10)
    assert "3 of 6 questions" in str(caught.value)
    assert "the state before (blue) is in force again" in caught.value.do
    assert blue.files.state() == parse_state("blue")
    assert blue.files.record().candidate is None


def test_the_way_back_is_not_undone(blue):
    blue.do(colour="green", share=50)
    blue.dead = {"blue"}
    with pytest.raises(NotInForce, match="blue stays in force"):
        blue.do(colour="blue", settle=True, restore=False)
    assert blue.files.state() == parse_state("blue")


def test_a_state_that_was_there_already_is_not_undone(blue):
    blue.dead = {"blue"}
    with pytest.raises(NotInForce, match="blue stays in force"):
        blue.do(colour="blue", settle=True)
    assert blue.files.state() == parse_state("blue")


def test_a_run_that_was_killed_after_the_switch_is_taken_up(blue):
    blue.files.switch(parse_state("green-10"))
    result = blue.do(colour="green", share=10)
    assert (result["changed"], result["moved"]["classes"]) == (True, [])
    assert blue.files.record().candidate == "green"


def test_only_the_record(blue):
    result = blue.do(releases={"green": {"id": "two"}}, bad=["old"])
    assert (result["changed"], result["asked"], blue.asked) == (True, [], 0)
    assert blue.files.record().bad == ("old",)
    assert blue.files.state() == parse_state("blue")


def test_nobody_is_served_any_more(blue):
    result = blue.do(colour="none")
    assert result["after"]["state"] == "none"
    assert result["verified"] == {"none": {"asked": 3, "answered": 3}}


def test_nothing_is_asked_when_that_is_not_wanted(blue):
    assert blue.do(colour="green", share=10, verify=0)["asked"] == []


def test_an_application_that_is_not_here(tmp_path):
    with pytest.raises(NotInstalled):
        carry_out(TrafficFiles(tmp_path), lambda contact, asked: [], Wish("blue", settle=True), "now")


@pytest.mark.parametrize(
    ("wish", "problem"),
    [
        (Wish("green"), "how many clients"),
        (Wish("green", 120), "a share of 120"),
        (Wish("blue", 10), "blue is serving already"),
        (Wish("red", 10), "no colour 'red'"),
        (Wish(releases={"red": {"id": "x"}}), "no colour 'red'"),
    ],
)
def test_a_wish_that_cannot_be_fulfilled(wish, problem):
    with pytest.raises(InvalidInput, match=problem):
        plan(Record("blue"), wish)


@pytest.mark.parametrize("wish", [{"share": 50}, {"settle": True}])
def test_a_run_that_has_missed_the_rollback_cannot_shift_to_the_release_that_was_left(blue, wish):
    blue.do(colour="green", share=10, releases={"green": {"id": "two"}})
    blue.do(colour="blue", settle=True, bad=["two"])
    with pytest.raises(InvalidInput, match="two was left as bad before"):
        blue.do(colour="green", releases={"green": {"id": "two"}}, **wish)
    assert blue.files.state() == parse_state("blue")
    assert blue.do(colour="green", releases={"green": {"id": "three"}}, **wish)["changed"]


def give_back(proxy):
    """What the script of the dead-man's switch does: the link, and a report; the record is not its."""
    proxy.files.switch(parse_state("blue"))
    report = proxy.files.directory.parent / "deployment/returned.json"
    report.parent.mkdir(exist_ok=True)
    report.write_text('{"at": "t", "from": "green-10", "to": "blue", "why": "silence", "deployment": "d1"}')
    return report


def test_nobody_takes_the_clients_away_again_after_the_dead_mans_switch(blue):
    blue.do(colour="green", share=10)
    report = give_back(blue)
    for wish in ({"share": 10}, {"share": 50}, {"settle": True}):
        with pytest.raises(GivenBack, match="gave all clients back to blue at t: silence"):
            blue.do(colour="green", **wish)
    assert blue.files.state() == parse_state("blue")
    assert blue.do(colour="blue", settle=True)["after"]["state"] == "blue"
    report.unlink()
    assert blue.do(colour="green", share=10)["after"]["state"] == "green-10"


def test_a_switch_that_was_undone_behind_the_record_is_made_again(blue):
    blue.do(colour="green", share=10, now="first")
    give_back(blue).unlink()
    again = blue.do(colour="green", share=10)
    assert again["changed"]
    assert blue.files.state() == parse_state("green-10")
