# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.sql_text import (
    fragment,
    in_clone,
    literal,
    path,
    readable,
    single_statement,
    tokens_of,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

QUERIES = [
    "SELECT * FROM a WHERE b = $1",
    "select ';' from a",
    'SELECT ";" FROM a',
    "SELECT $$;$$, $tag$ $$ ; $tag$ FROM a",
    "SELECT E'it\\'s;' FROM a",
    "SELECT 'a\\' FROM a WHERE b = ';'",
    "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x",
    "(SELECT 1) UNION (SELECT 2)",
    "INSERT INTO a VALUES ($1) ON CONFLICT DO NOTHING",
    "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE",
    "SELECT data->>'k', a::text, b @> '{1}' FROM t",
]


@pytest.mark.parametrize("query", QUERIES)
def test_one_query_is_taken_as_it_is(query):
    assert single_statement(query, "query") == query
    assert single_statement(f" {query} ; ", "query") == query


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("SELECT 1 -- ; DROP TABLE a", "SELECT 1"),
        ("SELECT /* ; /* ; */ ; */ 1", "SELECT   1"),
        ("/* first */ DELETE FROM a;", "DELETE FROM a"),
    ],
)
def test_comments_are_left_out(query, left):
    assert single_statement(query, "query") == left


@pytest.mark.parametrize(
    "query",
    [
        "",
        ";",
        "-- SELECT 1",
        "SELECT 1; SELECT 2",
        "VACUUM",
        "EXPLAIN ANALYZE SELECT 1",
        "EXECUTE x",
        "COPY a TO PROGRAM 'x'",
        "TABLE a",
        "DO $$BEGIN END$$",
        "SELECT 'a\\'; DROP TABLE a; --'",
        "SELECT E'a\\\\'; DROP TABLE a; --'",
        "SELECT E'a'\n'b\\''; DROP TABLE a; --'",
        "SELECT $a$ $b$; $b$",
        "SELECT 'open",
        'SELECT "open',
        "SELECT /* open",
        "SELECT 1 */; DROP TABLE a",
    ],
)
def test_what_is_not_one_query_is_refused(query):
    with pytest.raises(InvalidInput):
        single_statement(query, "indexes[0].query")


def test_the_refusal_says_where_and_what_is_expected():
    with pytest.raises(InvalidInput) as refused:
        single_statement("DROP TABLE a", "indexes[3].query")
    assert refused.value.where == "indexes[3].query"
    assert "SELECT" in refused.value.expected


@pytest.mark.parametrize(
    "sql", ["lower(a)", "a DESC NULLS LAST", "(a ->> ')')", "coalesce(a, b)", "varchar(12)", "x[1]"]
)
def test_one_expression_is_taken(sql):
    assert fragment(f" {sql} ", "columns", alone=True) == sql


@pytest.mark.parametrize(
    "sql", ["", " ", "a, b", "a)", "(a", "a; b", "a -- b", "a /* b */", "a = $1", "'a", "a) WHERE (b"]
)
def test_what_is_not_one_expression_is_refused(sql):
    with pytest.raises(InvalidInput):
        fragment(sql, "columns", alone=True)


def test_a_predicate_may_have_commas():
    assert fragment("a IN (1, 2)", "predicate") == "a IN (1, 2)"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT * FROM app.item", "SELECT * FROM pg_temp.item"),
        ('SELECT * FROM "app" . "item" i', 'SELECT * FROM pg_temp . "item" i'),
        ("SELECT APP.Item.id FROM app.item", "SELECT pg_temp.Item.id FROM pg_temp.item"),
        ("SELECT * FROM item", "SELECT * FROM item"),
        ("SELECT * FROM other.item JOIN app.thing", "SELECT * FROM other.item JOIN app.thing"),
        ('SELECT * FROM app."Item"', 'SELECT * FROM app."Item"'),
        ("SELECT 'app.item' FROM app/**/.item", "SELECT 'app.item' FROM pg_temp/**/.item"),
    ],
)
def test_the_stand_in_takes_the_place_of_the_table_that_is_named_with_its_schema(statement, expected):
    assert in_clone(statement, "app", "item") == expected


def test_quoted_names_with_quotes_mean_what_they_say():
    assert tokens_of('"a""b"', "x")[0].name == 'a"b'
    assert in_clone('SELECT * FROM "a""b".c', 'a"b', "c") == "SELECT * FROM pg_temp.c"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("item", "item"), ("Item", '"Item"'), ("user", '"user"'), ("a b", '"a b"'), ('a"b', '"a""b"'), ("1a", '"1a"')],
)
def test_names_are_quoted_where_they_must_be(name, expected):
    assert readable(name) == expected
    assert path("public", name) == f"public.{expected}"


def test_string_constants():
    assert literal("it's") == "'it''s'"
