# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import home

RELEASES = {"blue": {"id": "b1", "ref": "v1", "status": "good"}, "green": {"id": "g2", "ref": "v2"}}
SERVED = {"serving": "green", "candidate": None, "previous": None, "releases": RELEASES, "bad": []}


@pytest.mark.parametrize(
    ("seen", "colour"),
    [
        ({**SERVED, "previous": "blue"}, "blue"),
        ({**SERVED, "serving": "blue", "candidate": "green"}, "blue"),
        (SERVED, "blue"),
        ({**SERVED, "bad": ["b1"]}, ""),
        ({**SERVED, "serving": "blue"}, ""),
        ({**SERVED, "serving": "blue", "returned": {"to": "blue"}}, "blue"),
        ({"serving": None}, ""),
    ],
)
def test_home(seen, colour):
    assert home.find_home(seen) == colour


def test_who_serves_nobody_has_no_home():
    with pytest.raises(InvalidInput, match="edge: nothing is served yet"):
        home.home_of({"serving": None}, "edge")


def test_the_way_names_what_is_left():
    assert home.way_to("blue", SERVED) == {
        "colour": "blue", "left": "green", "release": "b1", "version": "v1", "left_release": "g2", "left_version": "v2",
    }  # fmt: skip


def test_home_is_where_all_clients_are():
    assert home.is_home("green", SERVED)
    assert not home.is_home("green", {**SERVED, "candidate": "blue"})
    assert not home.is_home("blue", SERVED)


def waited(answers, seconds):
    slept = []
    problems = home.wait_until_well(lambda: answers.pop(0), seconds, lambda: sum(slept), slept.append)
    return problems, slept


def test_a_colour_that_comes_up_is_waited_for():
    assert waited([["no"], ["no"], []], 10) == ([], [0.5, 0.5])


def test_one_that_does_not_is_told_with_its_last_problems():
    assert waited([["a"], ["b"], ["c"]], 0.7) == (["c"], [0.5, pytest.approx(0.2)])
    assert waited([["a"]], 0) == (["a"], [])
