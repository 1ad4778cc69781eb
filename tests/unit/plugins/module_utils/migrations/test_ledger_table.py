# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of PostgreSQL for the ledger; tests/integration/database asks a real one."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger import FIELDS
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger_table import LedgerTable, Owner

OWNER = Owner("shop", "d1", "r1", "v1")


def table(*answers):
    """A ledger whose queries are answered with ``answers`` in turn, and what it asked."""
    left, asked = list(answers), []

    def query(sql, parameters):
        asked.append((" ".join(sql.split()), list(parameters)))
        return left.pop(0) if left else []

    return LedgerTable(query, OWNER), asked


def test_nothing_is_made_where_it_is():
    ledger, asked = table([(True,)])
    ledger.ensure()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("schema", "made"),
    [(False, ["CREATE SCHEMA", "CREATE TABLE", "COMMENT ON"]), (True, ["CREATE TABLE", "COMMENT ON"])],
)
def test_it_is_made_where_it_is_missing(schema, made):
    ledger, asked = table([(False,)], [("app", "shop", schema, True)])
    ledger.ensure()
    assert [" ".join(sql.split()[:2]) for sql, _parameters in asked[2:]] == made


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (False, 'may not create schema greenlight.*CREATE SCHEMA greenlight AUTHORIZATION "app"'),
        (True, 'may not create greenlight.migration_ledger.*GRANT USAGE, CREATE ON SCHEMA greenlight TO "app"'),
    ],
)
def test_a_role_that_may_not_is_told_what_an_administrator_does(schema, said):
    ledger, asked = table([(False,)], [("app", "shop", schema, False)])
    with pytest.raises(InvalidInput, match=said):
        ledger.ensure()
    assert len(asked) == 2


def test_rows_are_read_of_the_application_alone():
    row = tuple(range(len(FIELDS)))
    ledger, asked = table([(True,)], [row])
    assert [entry.id for entry in ledger.entries()] == [0]
    assert asked[1][1] == ["shop", "django"]
    assert table([(False,)])[0].entries() == []


def test_a_row_is_written_before_and_completed_after():
    ledger, asked = table([(7,)])
    assert ledger.begin("shop.0002", reversible=True, schema="x") == 7
    ledger.applied(7, seconds=0.1, schema="y")
    ledger.undone(7)
    ledger.forget(7)
    assert asked[0][1] == ["shop", "d1", "r1", "v1", "django", "shop.0002", True, "x"]
    assert asked[1][1] == [0.1, "y", False, 7]
    assert asked[2][1] == [False, 7]
    assert asked[3] == ("DELETE FROM greenlight.migration_ledger WHERE id = %s AND applied_at IS NULL", [7])
