# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from itertools import pairwise

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import split

EVERY_STATE = [split.NONE, *(split.settled(colour) for colour in split.COLOURS)] + [
    split.shifting(colour, share) for colour in split.COLOURS for share in range(1, 101)
]


@pytest.mark.parametrize(
    ("key", "value"),
    [("", 0), ("a", 0x92685F5E), ("ab", 0x1AA14063), ("abc", 0x13577C9B), ("abcd", 0x26873021), ("abcde", 0x5F09A8DE)],
)
def test_the_hash_is_murmurhash2(key, value):
    assert split.murmur2(key.encode()) == value


@pytest.mark.parametrize(
    ("key", "name"), [("abc", "c07"), ("127.0.0.1", "c71"), ("device 0", "c09"), ("äöü", "c68"), ("", "c00")]
)
def test_a_key_has_the_class_that_nginx_gave_it(key, name):
    assert split.class_of(key) == split.class_of(key.encode()) == name


def test_what_is_left_of_the_last_class_belongs_to_it(monkeypatch):
    monkeypatch.setattr(split, "murmur2", lambda data: 0xFFFFFFFF)
    assert split.class_of("any") == "c99"


def test_every_name_leads_back_to_its_state():
    assert [split.parse_state(state.name) for state in EVERY_STATE] == EVERY_STATE


@pytest.mark.parametrize(
    "name", ["", "red", "green-", "green-0", "green-101", "green-010", "green-10-1", "none-1", "../x"]
)
def test_no_other_name_is_a_state(name):
    with pytest.raises(InvalidInput):
        split.parse_state(name)


@pytest.mark.parametrize("share", [-1, 101, 120])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(InvalidInput, match=f"a share of {share}"):
        split.shifting("green", share)


def test_a_colour_that_is_none_is_refused():
    with pytest.raises(InvalidInput, match="'red'"):
        split.colour_of("red")


@pytest.mark.parametrize("state", EVERY_STATE[1:], ids=lambda state: state.name)
def test_every_class_has_one_colour(state):
    by_colour = split.classes_of(state)
    assert sorted(by_colour["blue"] + by_colour["green"]) == list(split.CLASSES)


@pytest.mark.parametrize("candidate", split.COLOURS)
def test_a_ramp_moves_each_client_once_and_never_back(candidate):
    states = [split.shifting(candidate, share) for share in range(101)] + [split.settled(candidate)]
    moves = [split.moved(before, after) for before, after in pairwise(states)]
    assert {move.target for move in moves if move.classes} == {candidate}
    assert sorted(name for move in moves for name in move.classes) == list(split.CLASSES)


@pytest.mark.parametrize(
    ("before", "after", "classes", "target"),
    [
        ("blue", "green-2", ("c00", "c01"), "green"),
        ("green-50", "blue", split.CLASSES[:50], "blue"),
        ("green", "blue-1", ("c99",), "blue"),
        ("green-100", "green", (), None),
        ("none", "blue", (), None),
        ("blue", "none", (), None),
    ],
)
def test_what_moves_between_two_states(before, after, classes, target):
    move = split.moved(split.parse_state(before), split.parse_state(after))
    assert (move.classes, move.target) == (classes, target)
    assert move.source == (split.other(target) if target else None)


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("none", set()),
        ("blue", {"live"}),
        ("green-2", {"live", "guard-green", "c00", "c01"}),
        ("blue-98", {"live", "guard-blue", "c00", "c01"}),
        ("green", {"live", *split.CLASSES}),
    ],
)
def test_the_files_of_a_state(name, files):
    assert split.files_of(split.parse_state(name)) == files


@pytest.mark.parametrize(
    ("name", "shares"), [("none", (0, 0)), ("blue", (100, 0)), ("green-10", (90, 10)), ("blue-10", (10, 90))]
)
def test_the_shares_of_a_state(name, shares):
    assert tuple(split.shares_of(split.parse_state(name)).values()) == shares


@pytest.mark.parametrize(
    ("count", "chosen"),
    [(0, ()), (1, ("c10",)), (2, ("c10", "c99")), (3, ("c10", "c54", "c99")), (500, split.CLASSES[10:])],
)
def test_samples_have_the_borders(count, chosen):
    assert split.samples(split.CLASSES[10:], count) == chosen
