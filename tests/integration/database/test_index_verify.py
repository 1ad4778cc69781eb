# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table of a real PostgreSQL: declared indexes and what the planner does with them."""

from __future__ import annotations

import json
import threading
import time
from urllib.parse import quote

import psycopg2
import pytest

from ansible_collections.greenlight.deploy.plugins.modules import pg_index_verify
from ansible_collections.greenlight.deploy.tests.integration.database.verifying import only

pytest_plugins = ["ansible_collections.greenlight.deploy.tests.integration.database.verify_fixtures"]
SHOP = """
CREATE TABLE device (
    id bigserial PRIMARY KEY, device_id varchar(128) NOT NULL, user_id integer, score smallint NOT NULL,
    status text, seen_at timestamptz NOT NULL DEFAULT now(), note jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX device_once ON device (device_id, user_id);
CREATE INDEX device_seen ON device (seen_at);
"""
BY_BOTH = "SELECT * FROM device WHERE device_id = $1 AND user_id = $2"
ONCE = {"table": "device", "columns": ["device_id", "user_id"], "unique": True, "query": BY_BOTH}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "INSERT INTO device (device_id, score) VALUES ('a', 1); ANALYZE device",
        "INSERT INTO device (device_id, user_id, score) SELECT g, g, 1 FROM generate_series(1, 20000) g; ANALYZE",
    ],
    ids=["empty", "one row, analysed", "large"],
)
def test_an_index_that_the_query_wants_is_chosen_whatever_the_size_of_its_table(verify, sql, content):
    sql(SHOP + content)
    answer = verify(indexes=[{**ONCE, "name": "device_once"}])
    row = only(answer)
    assert not answer["failed"]
    assert row["verdict"] == "ok"
    assert all(row[name] for name in ("exists", "valid", "ready", "matches", "chosen", "usable"))
    assert answer["sentence"].startswith("the schema is as declared")


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM device WHERE lower(device_id) = $1",
        "SELECT * FROM device WHERE user_id = $1",
        "SELECT * FROM device WHERE status = $1 AND score > $2",
        "SELECT 1",
    ],
    ids=["an expression of the column", "the second column only", "other columns", "no table at all"],
)
def test_an_index_that_the_query_cannot_use_is_found_out(verify, sql, query, large):
    rows = 20000 if large else 1
    sql(f"{SHOP} INSERT INTO device (device_id, user_id, score) SELECT g, g, 1 FROM generate_series(1, {rows}) g")
    sql("ANALYZE device")
    answer = verify(indexes=[{**ONCE, "query": query}])
    row = only(answer)
    assert answer["failed"]
    assert (row["verdict"], row["chosen"], row["usable"], row["matches"]) == ("unusable", False, False, True)


def test_an_index_on_an_expression_serves_it(verify, sql):
    sql(SHOP + "CREATE INDEX ON device (lower(device_id))")
    query = "SELECT d.* FROM device d JOIN device o ON o.id = d.id WHERE lower(d.device_id) = $1"
    row = only(verify(indexes=[{"table": "device", "columns": ["LOWER( device_id )"], "query": query}]))
    assert (row["verdict"], row["chosen"]) == ("ok", True)


def test_columns_in_another_order_are_another_index(verify, sql):
    sql(SHOP)
    answer = verify(indexes=[{**ONCE, "columns": ["user_id", "device_id"]}])
    row = only(answer)
    assert row["verdict"] == "missing"
    assert "public.device_once" in row["why"]
    assert row["fix"].startswith("CREATE UNIQUE INDEX CONCURRENTLY ON public.device ")
    sql(row["fix"])
    assert only(verify(indexes=[{**ONCE, "columns": ["user_id", "device_id"], "query": ""}]))["verdict"] == "ok"


def test_an_index_of_the_name_with_another_definition_is_different_and_its_fix_mends_it(verify, sql):
    sql(SHOP)
    wanted = {"table": "device", "columns": ["seen_at DESC", "score"], "name": "device_seen"}
    row = only(verify(indexes=[wanted]))
    assert (row["verdict"], row["exists"], row["matches"]) == ("different", True, False)
    for statement in row["fix"].split(";"):
        if statement.strip():
            sql(statement)
    assert only(verify(indexes=[wanted]))["verdict"] == "ok"


def test_an_index_under_another_name_is_renamed_by_its_fix(verify, sql):
    sql(SHOP)
    wanted = {**ONCE, "name": "Device Once"}
    answer = verify(indexes=[wanted])
    assert not answer["failed"]
    assert only(answer)["verdict"] == "renamed"
    sql(only(answer)["fix"])
    assert only(verify(indexes=[wanted]))["verdict"] == "ok"


@pytest.mark.parametrize(
    ("made", "declared", "same"),
    [
        ("(score) WHERE status = 'open'", {"columns": ["score"], "predicate": "(status)::text='open'::text"}, True),
        ("(score) WHERE status IN ('a', 'b')", {"columns": ["score"], "predicate": "status = ANY('{a,b}')"}, True),
        ("(score) WHERE user_id IS NOT NULL AND score > 3",
         {"columns": ["score"], "predicate": "3 < score and not user_id is null"}, True),
        ("(score) WHERE score > 3", {"columns": ["score"], "predicate": "score > 4"}, False),
        ("(score) WHERE score > 3", {"columns": ["score"]}, False),
        ("(score)", {"columns": ["score"], "predicate": "score > 3"}, False),
        ("(device_id varchar_pattern_ops)", {"columns": ["device_id varchar_pattern_ops"]}, True),
        ("(device_id varchar_pattern_ops)", {"columns": ["device_id"]}, False),
        ("(device_id DESC)", {"columns": ['"device_id"  desc nulls first']}, True),
        ("(device_id DESC)", {"columns": ["device_id"]}, False),
        ('(device_id COLLATE "C")', {"columns": ["device_id"]}, False),
        ("(score) INCLUDE (user_id)", {"columns": ["score"], "include": ["user_id"]}, True),
        ("(score) INCLUDE (user_id)", {"columns": ["score", "user_id"]}, False),
        ("USING gin (note jsonb_path_ops)", {"columns": ["note jsonb_path_ops"], "method": "gin"}, True),
        ("USING gin (note)", {"columns": ["note jsonb_path_ops"], "method": "gin"}, False),
        ("USING hash (device_id)", {"columns": ["device_id"]}, False),
        ("((note ->> 'colour'))", {"columns": ["(note->>'colour')"]}, True),
        ("(score)", {"columns": ["score"], "unique": True}, False),
    ],
)  # fmt: skip
def test_definitions_are_compared_by_what_they_mean(verify, sql, made, declared, same):
    sql(f"{SHOP} CREATE INDEX made ON device {made}")
    row = only(verify(indexes=[{"table": "device", **declared}]))
    assert row["verdict"] == ("ok" if same else "missing")
    if same:
        assert row["object"] == "public.made"


def test_nulls_not_distinct_is_part_of_the_definition(verify, sql):
    sql(f"{SHOP} CREATE UNIQUE INDEX made ON device (user_id, score) NULLS NOT DISTINCT")
    wanted = {"table": "device", "columns": ["user_id", "score"], "unique": True}
    assert only(verify(indexes=[{**wanted, "nulls_distinct": False}]))["verdict"] == "ok"
    assert only(verify(indexes=[wanted]))["verdict"] == "missing"


def test_a_missing_table_and_a_missing_column_are_missing(verify, sql):
    sql(SHOP)
    answer = verify(indexes=[{"table": "lorry", "columns": ["id"]}, {"table": "device", "columns": ["colour"]}])
    assert [row["verdict"] for row in answer["rows"]] == ["missing", "missing"]
    assert "there is no table public.lorry" in answer["table"]
    assert 'column "colour" does not exist' in answer["table"]


def test_a_large_table_that_is_read_all_through_is_not_chosen(verify, sql):
    sql(f"{SHOP} CREATE INDEX device_score ON device (score)")
    sql("INSERT INTO device (device_id, user_id, score) SELECT g, g, 1 FROM generate_series(1, 20000) g")
    sql("ANALYZE device")
    wanted = {"table": "device", "columns": ["score"], "query": "SELECT * FROM device WHERE score = $1"}
    answer = verify(indexes=[wanted])
    row = only(answer)
    assert answer["failed"]
    assert (row["verdict"], row["chosen"], row["usable"]) == ("not_chosen", False, True)
    assert "Seq Scan on device" in row["why"]


def test_the_index_that_a_row_collides_with_is_chosen(verify, sql):
    sql(SHOP)
    query = (
        "INSERT INTO device (device_id, user_id, score) VALUES ($1, $2, $3) ON CONFLICT (device_id, user_id) DO NOTHING"
    )
    row = only(verify(indexes=[{**ONCE, "query": query}]))
    assert (row["verdict"], row["chosen"]) == ("ok", True)
    other = only(verify(indexes=[{"table": "device", "columns": ["seen_at"], "query": query}]))
    assert other["verdict"] == "unusable"
    assert sql("SELECT count(*) FROM device") == [(0,)]


def test_an_order_by_is_what_an_index_may_be_for(verify, sql):
    sql(SHOP)
    query = "SELECT * FROM device ORDER BY seen_at DESC LIMIT 10"
    row = only(verify(indexes=[{"table": "device", "columns": ["seen_at"], "query": query}]))
    assert (row["verdict"], row["chosen"]) == ("ok", True)


def test_a_query_is_planned_and_never_executed(verify, sql):
    sql(
        f"""{SHOP} CREATE SEQUENCE steps; CREATE TABLE trace (at timestamptz);
        INSERT INTO device (device_id, user_id, score) SELECT g, g, 1 FROM generate_series(1, 20000) g; ANALYZE device;
        CREATE FUNCTION loud(text) RETURNS text LANGUAGE plpgsql VOLATILE AS
            $$BEGIN PERFORM nextval('steps'); INSERT INTO trace VALUES (now()); RETURN $1; END$$;
        CREATE FUNCTION sly(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
            $$BEGIN PERFORM nextval('steps'); RETURN $1; END$$"""
    )
    queries = [
        "SELECT loud(status) FROM device WHERE device_id = loud($1)",
        "DELETE FROM device WHERE device_id = $1 AND user_id = $2",
        "UPDATE device SET status = loud($3) WHERE device_id = $1 AND user_id = $2",
        "WITH gone AS (DELETE FROM device RETURNING *) SELECT * FROM gone",
        "SELECT * FROM device WHERE device_id = sly('a')",
    ]
    verdicts = [row["verdict"] for row in verify(indexes=[{**ONCE, "query": query} for query in queries])["rows"]]
    assert verdicts.count("ok") == 2
    assert "unproven" in verdicts, "a function that lies about its nature meets a read-only transaction"
    assert sql("SELECT count(*) FROM device") == [(20000,)]
    assert sql("SELECT count(*) FROM trace") == [(0,)]
    assert sql("SELECT is_called FROM steps") == [(False,)]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1; DROP TABLE device",
        "DROP TABLE device",
        "SELECT 1 /* ; */; COMMIT",
        "EXPLAIN ANALYZE DELETE FROM device",
        "DO $$BEGIN DELETE FROM device; END$$",
        "SELECT E'a'\n'\\''; DROP TABLE device; --'",
    ],
)
def test_what_is_not_one_query_is_refused(verify, sql, query):
    sql(SHOP)
    answer = verify(indexes=[{**ONCE, "query": query}])
    assert answer["failed"]
    assert answer["error"]["where"] == "indexes[0].query"
    assert sql("SELECT to_regclass('device') IS NOT NULL") == [(True,)]


def test_a_password_in_a_url_is_understood_and_stays_secret(run_module, reader, database, sql):
    sql(f"{SHOP} GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    secret = quote(reader["login_password"], safe="")
    url = f"postgresql://reader:{secret}@127.0.0.1:{reader['login_port']}/{database}"
    for indexes in ([ONCE], [{**ONCE, "columns": ["nope"]}]):
        answer = run_module(pg_index_verify, {"url": url, "indexes": indexes})
        assert "rows" in answer
        said = json.dumps(answer, ensure_ascii=False)
        assert reader["login_password"] not in said
        assert secret not in said


@pytest.mark.parametrize("option", ["columns", "predicate"])
def test_what_is_not_one_expression_is_refused(verify, sql, option):
    sql(SHOP)
    bad = "score) ; DROP TABLE device; --"
    answer = verify(indexes=[{"table": "device", "columns": ["score"], option: [bad] if option == "columns" else bad}])
    assert answer["failed"]
    assert "out of place" in answer["msg"]
    assert sql("SELECT to_regclass('device') IS NOT NULL") == [(True,)]


def test_a_query_that_names_its_schema_meets_the_stand_in_too(verify, sql):
    sql("CREATE SCHEMA tenant_a; CREATE TABLE public.device (device_id text); SET search_path = tenant_a;" + SHOP)
    sql("INSERT INTO tenant_a.device (device_id, score) VALUES ('a', 1); ANALYZE")
    for name in ("tenant_a.device", '"tenant_a" . device', "device"):
        query = f"SELECT * FROM {name} WHERE device_id = $1 AND user_id = $2"
        row = only(verify(indexes=[{**ONCE, "schema": "tenant_a", "query": query}]))
        assert (row["verdict"], row["object"]) == ("ok", "tenant_a.device_once")


def test_generated_rows_suit_every_column(verify, sql):
    sql(
        """CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN percent AS smallint CHECK (value BETWEEN 0 AND 100);
        CREATE TYPE pair AS (a int, b int);
        CREATE TABLE zoo (
            id uuid PRIMARY KEY, code char(2) NOT NULL, tiny numeric(3, 1) NOT NULL, mood mood NOT NULL,
            share percent NOT NULL, pair pair NOT NULL, at date NOT NULL, span tstzrange NOT NULL, ip inet NOT NULL,
            tags text[] NOT NULL, raw bytea NOT NULL, yes bool NOT NULL, mac macaddr NOT NULL, word tsvector NOT NULL,
            twice int GENERATED ALWAYS AS (1 + 1) STORED, n int GENERATED ALWAYS AS IDENTITY,
            UNIQUE (code, mood), EXCLUDE USING gist (span WITH &&), CHECK (tiny < 0)
        )"""
    )
    wanted = {"table": "zoo", "columns": ["code", "mood"], "unique": True}
    row = only(verify(indexes=[{**wanted, "query": "SELECT * FROM zoo WHERE code = $1 AND mood = $2"}]))
    assert row["verdict"] == "ok", row["why"]


def test_scans_are_counted_from_the_baseline(verify, sql):
    sql(SHOP)
    before = verify(indexes=[ONCE])
    assert before["scans"] == {"public.device_once": 0}
    unused = verify(indexes=[ONCE], baseline=before["scans"], fail_on=["unused"])
    assert unused["failed"]
    assert only(unused)["verdict"] == "unused"
    sql("SET enable_seqscan = off; SELECT * FROM device WHERE device_id = 'a' AND user_id = 1")
    used = only(verify(indexes=[ONCE], baseline=before["scans"], fail_on=["unused"]))
    assert (used["verdict"], used["scans"]) == ("ok", 1)


def test_nothing_is_left_behind(verify, sql):
    sql(SHOP)
    state = "SELECT count(*), sum(oid::bigint) FROM pg_class WHERE relpersistence <> 't'"
    before = sql(state)
    assert verify(indexes=[ONCE], tables=[{"name": "device", "columns": {"score": "int2"}}])["changed"] is False
    assert sql(state) == before
    assert sql("SELECT count(*) FROM pg_class WHERE relname LIKE 'greenlight%'") == [(0,)]
    assert verify(indexes=[ONCE], check=True)["table"] == verify(indexes=[ONCE])["table"]


def test_tables_columns_and_types_are_compared(verify, sql):
    sql(SHOP)
    columns = {"device_id": "varchar( 128 )", "score": "int2", "note": None, "user_id": "bigint", "colour": "text"}
    columns["status"] = "no_such_type"
    answer = verify(tables=[{"name": "device", "columns": columns}, {"name": "lorry"}])
    found = {row["object"]: (row["verdict"], row["why"]) for row in answer["rows"]}
    assert found == {
        "public.lorry": ("missing", "there is no such table"),
        "public.device.colour": ("missing", "there is no such column"),
        "public.device.user_id": ("different", "it is integer, declared is bigint"),
        "public.device.status": ("different", 'type "no_such_type" does not exist'),
    }
    right = verify(tables=[{"name": "device", "columns": {"device_id": "varchar(128)", "seen_at": "timestamptz"}}])
    assert only(right)["verdict"] == "ok"


def test_a_role_that_may_only_read_proves_the_same_and_its_password_stays_secret(
    run_module, reader, database, sql, cluster
):
    sql(SHOP)
    sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    delete = {**ONCE, "query": "DELETE FROM device WHERE device_id = $1 AND user_id = $2"}
    answer = run_module(pg_index_verify, {**reader, "database": database, "indexes": [ONCE, delete]})
    assert [row["verdict"] for row in answer["rows"]] == ["ok", "ok"]
    assert "canary" not in json.dumps(answer, ensure_ascii=False)
    assert "n'ary" not in json.dumps(answer, ensure_ascii=False)
    assert "n'ary" not in cluster.log.read_text()


def test_a_role_that_may_make_no_temporary_tables_proves_nothing_and_says_what_it_lacks(
    run_module, reader, database, sql
):
    sql(SHOP)
    sql(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader; REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC')
    options = {**reader, "database": database, "indexes": [{**ONCE, "name": "device_once"}]}
    answer = run_module(pg_index_verify, options)
    row = only(answer)
    assert answer["failed"]
    assert (row["verdict"], row["exists"], row["valid"], row["matches"]) == ("unproven", True, True, None)
    sql(row["fix"])
    assert only(run_module(pg_index_verify, options))["verdict"] == "ok"


def test_a_role_that_may_not_read_the_table_proves_nothing(run_module, reader, database, sql):
    sql(SHOP)
    answer = run_module(pg_index_verify, {**reader, "database": database, "indexes": [ONCE]})
    assert only(answer)["verdict"] == "unproven"
    assert "permission denied for table device" in only(answer)["why"]


def test_a_table_that_somebody_has_locked_is_unproven_soon(verify, sql, cluster, database):
    sql(SHOP)
    other = cluster.connect(database)
    other.autocommit = False
    other.cursor().execute("LOCK TABLE device IN ACCESS EXCLUSIVE MODE")
    began = time.monotonic()
    row = only(verify(indexes=[ONCE]))
    other.close()
    assert row["verdict"] == "unproven"
    assert "lock timeout" in row["why"]
    assert time.monotonic() - began < 30


def test_an_index_that_is_being_built_is_told_of_as_that(verify, sql, cluster, database):
    sql(SHOP)
    holder = cluster.connect(database)
    holder.autocommit = False
    holder.cursor().execute("INSERT INTO device (device_id, score) VALUES ('a', 1)")
    build = "CREATE INDEX CONCURRENTLY slow ON device (score)"
    builder = threading.Thread(target=lambda: cluster.sql(database, build))
    builder.start()
    try:
        deadline = time.monotonic() + 20
        while not sql("SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid <> 0"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        answer = verify(indexes=[{"table": "device", "columns": ["score"], "name": "slow"}])
        repaired = verify(rebuild=True)
    finally:
        holder.close()
        builder.join()
    assert only(answer)["verdict"] == "building"
    assert repaired["rebuilt"] == []
    assert only(verify(indexes=[{"table": "device", "columns": ["score"], "name": "slow"}]))["verdict"] == "ok"


def test_a_server_that_goes_away_is_an_error_and_no_verdict(verify, cluster, database):
    with pytest.raises(psycopg2.OperationalError):
        cluster.sql(database + "x", "SELECT 1")
    answer = verify(database=database + "x", indexes=[ONCE])
    assert answer["failed"]
    assert "rows" not in answer
    assert "there is no database" in answer["msg"]
