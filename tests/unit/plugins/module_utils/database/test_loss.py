# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.loss import Loss, Table, describe, loss_of


def test_the_largest_difference_comes_first_and_what_is_equal_not_at_all():
    loss = loss_of({"a": 5, "b": 1, "new": 3}, {"a": 5, "b": 100, "gone": 3}, 12.5)
    assert loss == Loss(12.5, (Table("b", 1, 100), Table("gone", None, 3), Table("new", 3, None)))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (None, "there is no database shop, nothing can be lost"),
        ({"a": 2}, "in the last 60 s would be lost; every table has as many rows now as in the backup"),
        (
            {"a": 3, "b": 1},
            "in the last 60 s would be lost: a 3 rows now, 2 rows in the backup; b 1 rows now, no table in the",
        ),
    ],
)
def test_it_is_said(now, said):
    assert said in describe(loss_of(now, {"a": 2}, 60), "shop")


def test_many_tables_are_counted():
    assert describe(loss_of({str(n): n for n in range(1, 20)}, {}, 1), "shop").endswith("; and 11 more tables")


def test_a_database_that_cannot_be_counted_is_no_reason_to_say_that_nothing_is_lost():
    said = describe(Loss(60, None, unknown="the file is gone"), "shop")
    assert "in the last 60 s would be lost; its rows cannot be counted: the file is gone" in said
