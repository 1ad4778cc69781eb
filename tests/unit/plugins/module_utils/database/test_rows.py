# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.greenlight.deploy.plugins.module_utils.database.rows import (
    LONGEST_TABLE,
    Row,
    as_table,
    counted,
    refused,
    sentence,
    sorted_rows,
)

GOOD = Row("index", "public.a_idx", "public.a", "ok", why="chosen")
BAD = Row("foreign_key", "public.a (b)", "public.a", "missing", why="no such constraint")
FOUND = Row("index", "public.c_idx", "public.c", "invalid", declared=False)


def test_the_worst_comes_first_and_what_is_declared_before_what_is_not():
    declared = Row("index", "public.z", "public.z", "invalid")
    assert sorted_rows([GOOD, FOUND, declared, BAD]) == [BAD, declared, FOUND, GOOD]
    assert counted([GOOD, FOUND, GOOD, BAD]) == {"missing": 1, "invalid": 1, "ok": 2}


def test_the_table_has_one_line_a_row_in_columns():
    assert as_table([BAD, GOOD]).splitlines() == [
        "missing  foreign key  public.a (b)  no such constraint",
        "ok       index        public.a_idx  chosen",
    ]
    assert as_table([]) == ""
    many = as_table([GOOD] * (LONGEST_TABLE + 3)).splitlines()
    assert (len(many), many[-1]) == (LONGEST_TABLE + 1, "and 3 more")


def test_the_sentence_says_whether_it_is_as_declared():
    assert sentence([], ["missing"]) == "nothing is declared, and nothing else was found"
    assert sentence([FOUND, GOOD], ["missing"]) == "the schema is as declared: 1 invalid, 1 ok"
    assert sentence([BAD, FOUND, GOOD], ["missing", "invalid"]) == (
        "the schema is not as declared: 1 missing, 1 invalid, 1 ok; "
        "first public.a (b), missing: no such constraint and 1 more"
    )
    assert refused([BAD, FOUND, GOOD], ["invalid"]) == [FOUND]
