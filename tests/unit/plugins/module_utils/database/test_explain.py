# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.explain import (
    Goal,
    chosen,
    mentions,
    reads,
    served,
    sought,
)

GOAL = Goal({"a_idx"}, "device_id", partial=False)


def scan(kind="Index Scan", index="a_idx", **more):
    return {"Node Type": kind, "Relation Name": "a", **({"Index Name": index} if index else {}), **more}


def bitmap(condition, index="a_idx"):
    inner = {"Node Type": "Bitmap Index Scan", "Index Name": index, "Index Cond": condition}
    return {"Node Type": "Bitmap Heap Scan", "Relation Name": "a", "Plans": [inner]}


BY_FIRST = {"Index Cond": "((device_id)::text = $1)"}
COLLIDES = {"Node Type": "ModifyTable", "Relation Name": "a", "Conflict Arbiter Indexes": ["a_idx"]}


@pytest.mark.parametrize(
    ("plan", "is_chosen", "is_sought"),
    [
        (scan(**BY_FIRST), True, True),
        (scan("Index Only Scan", **BY_FIRST), True, True),
        (bitmap("((d.device_id)::text = $1)"), True, True),
        ({"Node Type": "Limit", "Plans": [scan(**BY_FIRST)]}, True, True),
        (COLLIDES, True, True),
        (scan(), True, False),  # an order, or counting
        (scan(Filter="(score > 1)"), False, False),
        (scan(**{"Index Cond": "(user_id = $1)"}), False, False),
        (scan(**{"Index Cond": "(user_id = 'device_id')"}), False, False),
        (scan(**{"Index Cond": "(other_device_id = $1)"}), False, False),
        (scan(index="other", **BY_FIRST), False, False),
        (scan("Seq Scan", index="", Filter="((device_id)::text = $1)"), False, False),
    ],
)
def test_what_counts_as_the_use_of_an_index(plan, is_chosen, is_sought):
    assert (chosen(plan, GOAL), sought(plan, GOAL)) == (is_chosen, is_sought)


def test_the_predicate_of_a_partial_index_is_use_enough():
    plan = scan(Filter="(score > 1)")
    assert sought(plan, GOAL._replace(partial=True))
    assert not sought(plan, GOAL)


def test_other_methods_find_by_any_of_their_keys():
    assert chosen(bitmap("(note @> $1)"), GOAL._replace(first_key=""))


@pytest.mark.parametrize(
    ("condition", "key", "expected"),
    [
        ("(lower((email)::text) = $1)", "lower(email::text)", True),
        ("(lower((u.email)::text) = $1)", "lower(email::text)", True),
        ("(upper((email)::text) = $1)", "lower(email::text)", False),
        ('("userId" = $1)', '"userId"', True),
        ('("userId2" = $1)', '"userId"', False),
        ('(p."userId" = $1)', '"userId"', True),
        ("((a = $1) AND (b = $2))", "b", True),
        ("((note ->> 'colour'::text) = $1)", "(note ->> 'colour'::text)", True),
    ],
)
def test_keys_are_found_in_conditions_however_they_are_written(condition, key, expected):
    assert mentions(condition, key) is expected


def test_how_the_rows_are_read_in_words():
    join = {
        "Node Type": "Nested Loop",
        "Plans": [scan(**BY_FIRST), {**scan("Seq Scan", index=""), "Relation Name": "b"}],
    }
    assert reads(join, {"a"}) == "Index Scan using a_idx"
    assert reads(join, {"b"}) == "Seq Scan on b"
    assert (served(join, {"a"}), served(join, {"b"})) == (True, False)
    assert reads({"Node Type": "Result"}, {"a"}) == ""
