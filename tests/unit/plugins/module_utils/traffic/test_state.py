# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import state as records
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import parse_state
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record, RecordDamaged

GREEN = {"id": "20261122T124500Z-1a2b3c4", "sha": "1a2b3c4d", "ref": "v2"}
FULL = Record("blue", "green", 10, "green", {"green": GREEN}, ("old",), "2026-11-22T12:45:00Z", ("one",))


def test_a_record_survives_its_text():
    assert records.parse(records.render(FULL)) == FULL
    assert records.parse(records.render(Record())) == Record()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        json.dumps({**FULL.as_dict(), "serving": "red"}),
        json.dumps({**FULL.as_dict(), "share": 120}),
        json.dumps({**FULL.as_dict(), "share": None}),
        json.dumps({**FULL.as_dict(), "releases": []}),
    ],
)
def test_a_damaged_record_says_where_and_what_to_do(text):
    with pytest.raises(RecordDamaged) as caught:
        records.parse(text, "/var/x/traffic.json")
    assert caught.value.where == "/var/x/traffic.json"
    assert "move the file away" in caught.value.do


@pytest.mark.parametrize(
    ("record", "name"),
    [(Record(), "none"), (Record("blue"), "blue"), (FULL, "green-10"), (Record("green", "blue", 1), "blue-1")],
)
def test_the_state_that_a_record_asks_for(record, name):
    assert record.state.name == name


@pytest.mark.parametrize(
    ("record", "name", "wanted"),
    [
        (Record("blue"), "blue", Record("blue")),
        (Record("blue"), "green-10", Record("blue", "green", 10)),
        (Record("blue", "green", 10), "green", Record("green")),
        (Record("blue", "green", 10), "blue", Record("blue")),
        (Record("blue"), "none", Record()),
    ],
)
def test_the_files_are_the_truth_after_a_killed_run(record, name, wanted):
    assert records.adopted(record, parse_state(name)) == wanted


def test_a_shift_and_its_end():
    shifted = records.shifted(Record("blue"), "green", 50)
    assert (shifted.serving, shifted.candidate, shifted.share) == ("blue", "green", 50)
    assert records.shifted(shifted, "green", 0) == Record("blue")


@pytest.mark.parametrize(
    ("record", "candidate", "share", "problem"),
    [
        (Record(), "green", 10, "nobody is served yet"),
        (Record("green"), "green", 10, "green is serving already"),
        (Record("blue"), "green", 101, "a share of 101"),
    ],
)
def test_a_shift_that_cannot_be(record, candidate, share, problem):
    with pytest.raises(InvalidInput, match=problem):
        records.shifted(record, candidate, share)


@pytest.mark.parametrize(
    ("record", "colour", "serving", "previous"),
    [
        (Record(), "blue", "blue", None),
        (Record("blue", "green", 100), "green", "green", "blue"),
        (Record("blue", "green", 50, "green"), "blue", "blue", "green"),
        (Record("blue", "green", 50), "blue", "blue", None),
        (Record("green", previous="blue"), "green", "green", "blue"),
        (Record("green", previous="blue"), "blue", "blue", "green"),
        (Record("green", previous="blue", releases={"green": GREEN}, bad=(GREEN["id"],)), "blue", "blue", None),
        (Record("blue", previous="green"), None, None, None),
    ],
)
def test_the_last_good_colour_is_remembered(record, colour, serving, previous):
    after = records.settle(record, colour)
    assert (after.serving, after.previous, after.candidate, after.share) == (serving, previous, None, 0)


def test_releases_are_merged_and_bad_ones_kept_once():
    record = records.noted(FULL, {"green": {"status": "ready"}, "blue": {"id": "b"}}, ["old", "new"])
    assert record.releases == {"green": {**GREEN, "status": "ready"}, "blue": {"id": "b"}}
    assert record.bad == ("old", "new")


@pytest.mark.parametrize(("release", "previous"), [({"id": "new"}, None), ({"id": "old", "status": "x"}, "green")])
def test_a_colour_with_another_release_is_no_longer_the_last_good_one(release, previous):
    record = Record("blue", previous="green", releases={"green": {"id": "old"}})
    assert records.noted(record, {"green": release}, []).previous == previous


def test_a_release_has_no_other_keys():
    with pytest.raises(InvalidInput, match="no since"):
        records.noted(Record(), {"green": {"since": "now"}}, [])


def test_releases_that_had_all_clients_are_remembered_once_and_not_for_ever():
    record = Record(releases={"blue": {"id": "one"}, "green": {"id": "two"}})
    for colour in ("blue", "green", "green", "blue"):
        record = records.settle(record, colour)
    assert record.good == ("two", "one")
    many = Record(releases={"blue": {"id": "last"}}, good=tuple(map(str, range(records.REMEMBERED))))
    assert records.settle(many, "blue").good == (*many.good[1:], "last")


def test_a_record_of_before_there_was_a_list_of_good_releases_can_be_read():
    old = {name: value for name, value in FULL.as_dict().items() if name != "good"}
    assert records.parse(json.dumps(old)).good == ()
