# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import journal

ONE = journal.entry("t1", "d1", "shifted", {"colour": "green", "share": 10})
TWO = journal.entry("t2", "d1", "settled", {})


def test_lines_are_read_as_they_were_written():
    assert journal.parse(journal.line(ONE) + "\n" + journal.line(TWO)) == ([ONE, TWO], 0)


@pytest.mark.parametrize("torn", ['{"at": "t', "\0\0\0", "[]", "7", '{"event": "x"}', "{}"])
def test_a_torn_line_is_passed_over(torn):
    assert journal.parse(journal.line(ONE) + torn + "\n" + journal.line(TWO)) == ([ONE, TWO], 1)


@pytest.mark.parametrize(
    ("deployment", "event", "data"),
    [("", "shifted", {}), ("d1", "", {}), ("d1", "shifted", {"state": "great"})],
)
def test_an_entry_that_nobody_could_use(deployment, event, data):
    with pytest.raises(InvalidInput):
        journal.entry("t", deployment, event, data)


def test_an_entry_that_is_too_long():
    with pytest.raises(InvalidInput, match="characters"):
        journal.line(journal.entry("t", "d1", "said", {"text": "a" * 20_000}))


def test_the_record_advances():
    record = journal.advanced(None, "d1", {"phase": "cutover", "other": 1}, "t1")
    record = journal.advanced(record, "d1", {"colour": "green", "release": "r1", "share": 10}, "t2")
    assert record == {
        "deployment": "d1",
        "state": "running",
        "phase": "cutover",
        "step": None,
        "colour": "green",
        "release": "r1",
        "share": 10,
        "updated": "t2",
        "interrupted": None,
    }
    said = "last deployment d1: running at t2 (cutover; r1 on green; 10 % of the clients)"
    assert journal.sentence(record) == said


def test_a_deployment_that_never_ended_is_remembered_by_the_next():
    killed = journal.advanced(None, "d1", {"phase": "cutover", "share": 10}, "t1")
    following = journal.advanced(killed, "d2", {"phase": "lock"}, "t2")
    assert (following["deployment"], following["share"]) == ("d2", None)
    assert following["interrupted"] == killed
    third = journal.advanced(following, "d3", {}, "t3")
    assert third["interrupted"] == {**following, "interrupted": None}
    ended = journal.advanced(third, "d3", {"state": "done"}, "t4")
    assert journal.advanced(ended, "d4", {}, "t5")["interrupted"] is None


def test_little_is_said_of_little():
    assert journal.sentence(None) == ""
    record = journal.advanced(None, "d1", {"state": "rolled_back"}, "t1")
    assert journal.sentence(record) == "last deployment d1: rolled back at t1"
