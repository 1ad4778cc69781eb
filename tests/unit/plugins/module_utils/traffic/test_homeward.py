# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.homeward import Errand, Senses, go
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.switch import NotInForce, Wish, carry_out
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Finding
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT

BLUE, GREEN = {"id": "b1", "ref": "v1"}, {"id": "g2", "ref": "v2"}


class Proxy:
    """Green serves, blue served before; a colour in ``ill`` does not answer, each question takes a second."""

    def __init__(self, directory):
        self.files = TrafficFiles(directory)
        (directory / "states").mkdir(parents=True)
        self.files.write_contact(CONTACT)
        self.ill, self.astray, self.now, self.looked = set(), False, 0.0, []
        self.shift(colour="blue", settle=True, releases={"blue": BLUE})
        self.shift(colour="green", settle=True, releases={"green": GREEN})

    def shift(self, **wish):
        carry_out(self.files, lambda _contact, _questions: [], Wish(**wish), "now")

    def look(self, colour, release):
        self.sleep(1.0)
        self.looked.append((colour, release))
        return [f"{colour} is ill"] if colour in self.ill else []

    def ask(self, contact, questions):
        self.sleep(1.0)
        problem = "sent to green" if self.astray else ""
        return [Finding(one, 200, one.meant or "none", "somewhere", problem) for one in questions]

    def sleep(self, seconds):
        self.now += seconds

    def go(self, *, check=False, **errand):
        senses = Senses(self.look, self.ask, lambda: self.now, self.sleep)
        return go(self.files, Errand(**errand), senses, "later", check=check)

    @property
    def state(self):
        return self.files.state().name


@pytest.fixture
def proxy(tmp_path):
    return Proxy(tmp_path / "traffic")


def test_everybody_goes_back_and_the_release_that_is_left_is_bad(proxy):
    result = proxy.go()
    assert (result["home"], result["changed"], result["way"]["colour"], proxy.state) == (True, True, "blue", "blue")
    assert result["after"]["bad"] == ["g2"]
    assert result["seconds"] == {"asked": 1.0, "switched": 1.0, "verified": 2.0}
    assert proxy.looked == [("blue", "b1")]


def test_a_shift_under_way_goes_back_to_what_served_before_it(proxy):
    proxy.shift(colour="blue", share=50, releases={"blue": {"id": "b3"}})
    result = proxy.go()
    assert (result["way"]["colour"], proxy.state, proxy.files.record().bad) == ("green", "green", ("b3",))


def test_a_colour_that_does_not_answer_gets_no_clients(proxy):
    proxy.ill.add("blue")
    result = proxy.go()
    assert (result["home"], result["changed"], result["problems"]) == (False, False, ["blue is ill"])
    assert (proxy.state, proxy.files.record().bad) == ("green", ())


def test_it_is_waited_for_when_that_is_wanted(proxy):
    proxy.ill.add("blue")
    proxy.go(wait=5.0)
    assert len(proxy.looked) == 4


def test_who_is_home_stays_there_and_the_proxy_is_asked_all_the_same(proxy):
    proxy.go()
    result = proxy.go(colour="blue")
    assert (result["changed"], result["home"], result["seconds"]["verified"]) == (False, True, 2.0)


def test_the_only_version_that_is_left_has_no_way_back(proxy):
    proxy.go()
    with pytest.raises(InvalidInput, match="no earlier good version"):
        proxy.go()


def test_a_bad_release_is_not_gone_to(proxy):
    proxy.go()
    with pytest.raises(InvalidInput, match="g2 was left as bad"):
        proxy.go(colour="green")


def test_a_rehearsal_marks_nothing(proxy):
    proxy.go(blame=False)
    assert proxy.go(blame=False)["way"]["colour"] == "green"
    assert (proxy.state, proxy.files.record().bad) == ("green", ())


def test_a_colour_that_was_given_another_release_is_recorded_with_it(proxy):
    release = {"id": "b0", "sha": "0", "ref": "v0", "fingerprint": "", "status": "good"}
    result = proxy.go(colour="blue", release=release)
    assert proxy.looked == [("blue", "b0")]
    assert result["after"]["releases"]["blue"] == release
    assert (result["after"]["good"], result["after"]["previous"]) == (["b1", "g2", "b0"], None)


def test_a_proxy_that_does_not_do_what_it_was_told_is_an_error_and_stays_switched(proxy):
    proxy.astray = True
    with pytest.raises(NotInForce, match="blue stays in force"):
        proxy.go()
    assert proxy.state == "blue"


def test_check_mode_says_where_it_would_go(proxy):
    result = proxy.go(check=True)
    assert (result["changed"], result["after"]["state"], proxy.state, proxy.looked) == (True, "blue", "green", [])


def test_what_the_dead_mans_switch_did_is_told_and_completed(proxy):
    proxy.shift(colour="blue", share=50, releases={"blue": {"id": "b3"}})
    proxy.shift(colour="green", settle=True)
    report = {"at": "then", "from": "blue-50", "to": "green", "why": "no sign of life", "deployment": "d"}
    folder = proxy.files.directory.parent / "deployment"
    folder.mkdir()
    (folder / "returned.json").write_text(json.dumps(report))
    result = proxy.go()
    assert (result["returned"], result["way"]["colour"], result["after"]["bad"]) == (report, "green", ["b3"])
