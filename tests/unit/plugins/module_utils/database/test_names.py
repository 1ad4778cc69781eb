# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.names import (
    LONGEST,
    conninfo,
    derived,
    identifier,
    setting_values,
)


@pytest.mark.parametrize(
    ("parts", "quoted"),
    [(["orders"], '"orders"'), (['a"b', "C.d"], '"a""b"."C.d"'), (["", "x"], '""."x"')],
)
def test_a_name_is_quoted(parts, quoted):
    assert identifier(*parts) == quoted


def test_a_connection_string_holds_anything():
    assert conninfo(dbname="a'b\\c =d") == "dbname='a\\'b\\\\c =d'"


def test_a_derived_name_says_what_it_is_for():
    assert derived("shop", "replaced", "20261122T124500Z-1a2b3c4") == "shop_replaced_20261122T124500Z-1a2b3c4"


@pytest.mark.parametrize("database", ["s" * 40, "s" * 63, "ü" * 31])
def test_a_derived_name_is_never_cut_by_the_server(database):
    one, other = (derived(database, "replaced", f"20261122T124500Z-1a2b3c{last}") for last in "45")
    assert one != other
    assert all(len(name.encode()) <= LONGEST and "_replaced_20261122T124500Z" in name for name in (one, other))


@pytest.mark.parametrize(
    ("name", "stored", "values"),
    [
        ("work_mem", "8MB", ["8MB"]),
        ("application_name", "a, b", ["a, b"]),
        ("search_path", '"$user", public, "Odd ""one, two"', ["$user", "public", 'Odd "one, two']),
        ("search_path", '""', [""]),
        ("search_path", "", [""]),
        ("Search_Path", "a,b", ["a", "b"]),
        ("search_path", 'not "a" list', ['not "a" list']),
    ],
)
def test_a_list_is_given_back_by_element(name, stored, values):
    assert setting_values(name, stored) == values
