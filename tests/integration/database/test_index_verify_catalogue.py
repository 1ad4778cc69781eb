# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The truth table of a real PostgreSQL: foreign keys, leftovers, duplicates, partitions, quoted names, rebuilding."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg2
import pytest

from ansible_collections.greenlight.deploy.tests.integration.database.verifying import apply, only, verdicts

pytest_plugins = ["ansible_collections.greenlight.deploy.tests.integration.database.verify_fixtures"]
TENANTS = """
CREATE TABLE tenant (id bigint PRIMARY KEY);
CREATE TABLE item (id bigint PRIMARY KEY, tenant_id bigint CONSTRAINT item_tenant REFERENCES tenant ON DELETE CASCADE);
CREATE INDEX item_by_tenant ON item (tenant_id);
"""
ITEM_TENANT = {"table": "item", "columns": ["tenant_id"], "references": "tenant"}
PRISMA = """
CREATE TABLE "User" ("id" TEXT NOT NULL, "tenantId" TEXT NOT NULL, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
CREATE TABLE "StudentProgress" (
    "id" TEXT NOT NULL, "userId" TEXT NOT NULL, "syncedAt" TIMESTAMP(3), "order" INTEGER NOT NULL,
    CONSTRAINT "StudentProgress_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "StudentProgress_userId_syncedAt_idx" ON "StudentProgress"("userId", "syncedAt");
ALTER TABLE "StudentProgress" ADD CONSTRAINT "StudentProgress_userId_fkey"
    FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
"""
PARTED = """
CREATE TABLE tenant (id bigint PRIMARY KEY);
CREATE TABLE event (id bigint, at date NOT NULL, tenant_id bigint REFERENCES tenant, PRIMARY KEY (id, at))
    PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX event_tenant ON event (tenant_id, at);
"""


def cancelled_build(cluster: Any, database: str, statement: str, table: str) -> None:
    """Have a concurrent build cancelled while it waits for a transaction that writes."""
    holder = cluster.connect(database)
    holder.autocommit = False
    holder.cursor().execute(f"INSERT INTO {table} DEFAULT VALUES")
    builder = cluster.connect(database)
    failed: list[Exception] = []

    def build() -> None:
        try:
            builder.cursor().execute(statement)
        except psycopg2.Error as error:
            failed.append(error)

    thread = threading.Thread(target=build)
    thread.start()
    deadline = time.monotonic() + 20
    while not cluster.sql(database, "SELECT 1 FROM pg_index WHERE NOT indisvalid"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    builder.cancel()
    thread.join()
    holder.rollback()
    holder.close()
    builder.close()
    assert failed


@pytest.fixture
def broken(cluster: Any, database: str) -> str:
    """A table whose index ``job_state`` was left by a cancelled build."""
    cluster.sql(database, "CREATE TABLE job (id bigserial, state int)")
    cancelled_build(cluster, database, "CREATE INDEX CONCURRENTLY job_state ON job (state)", "job")
    return "job_state"


def test_what_a_cancelled_build_left_is_found_declared_or_not(verify, broken):
    found = verify()
    assert found["failed"]
    assert verdicts(found) == {"public.job_state": "invalid"}
    assert found["rows"][0]["fix"] == "REINDEX INDEX CONCURRENTLY public.job_state;"
    row = only(verify(indexes=[{"table": "job", "columns": ["state"], "query": "SELECT * FROM job WHERE state = $1"}]))
    assert (row["verdict"], row["exists"], row["valid"], row["matches"], row["chosen"]) == (
        "invalid", True, False, True, None,
    )  # fmt: skip


def test_a_valid_twin_is_preferred_to_an_invalid_one(verify, broken, sql):
    sql("CREATE INDEX job_state_again ON job (state)")
    found = verify(indexes=[{"table": "job", "columns": ["state"]}])
    assert verdicts(found) == {"public.job_state": "invalid", "public.job_state_again": "ok"}


def test_a_rebuild_is_made_on_request_only(verify, broken, sql):
    invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    foreseen = verify(rebuild=True, check=True)
    assert (foreseen["changed"], foreseen["rebuilt"]) == (True, ["public.job_state"])
    assert sql(invalid) == [(1,)]
    done = verify(rebuild=True)
    assert (done["changed"], done["rebuilt"], done["rows"]) == (True, ["public.job_state"], [])
    assert sql(invalid) == [(0,)]
    again = verify(rebuild=True)
    assert (again["changed"], again["rebuilt"]) == (False, [])


def test_a_wished_index_is_rebuilt_and_an_unknown_one_refused(verify, sql):
    sql("CREATE TABLE job (id bigint); CREATE INDEX job_id ON job (id)")
    file = "SELECT relfilenode FROM pg_class WHERE relname = 'job_id'"
    before = sql(file)
    assert verify(rebuild=True, rebuild_also=["public.job_id"])["rebuilt"] == ["public.job_id"]
    assert sql(file) != before
    refused = verify(rebuild=True, rebuild_also=["public.nope"])
    assert refused["failed"]
    assert "there is no index public.nope" in refused["msg"]


def test_a_rebuild_that_fails_leaves_nothing_new_behind(verify, sql, cluster, database):
    sql("CREATE TABLE job (id bigserial, state int); INSERT INTO job (state) VALUES (1), (1)")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        sql("CREATE UNIQUE INDEX CONCURRENTLY job_state ON job (state)")
    answer = verify(rebuild=True)
    assert answer["failed"]
    assert "could not create unique index" in answer["msg"]
    assert sql("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid") == [("job_state",)]


def test_what_a_cancelled_rebuild_left_is_to_be_dropped_and_not_rebuilt(verify, sql, cluster, database):
    sql("CREATE TABLE job (id bigserial, state int); CREATE INDEX job_state ON job (state)")
    cancelled_build(cluster, database, "REINDEX INDEX CONCURRENTLY job_state", "job")
    found = verify(rebuild=True)
    assert verdicts(found) == {"public.job_state_ccnew": "invalid"}
    assert found["rebuilt"] == []
    apply(sql, found["rows"][0]["fix"])
    assert verify()["rows"] == []


def test_duplicates_are_told_and_the_one_that_is_needed_stays(verify, sql):
    sql(
        """CREATE TABLE a (id int PRIMARY KEY, x int, y text);
        CREATE INDEX a_id ON a (id); CREATE INDEX a_x1 ON a (x); CREATE INDEX a_x2 ON a (x);
        CREATE INDEX a_half ON a (x) WHERE y = 'b'; CREATE INDEX a_down ON a (x DESC);
        CREATE INDEX a_hash ON a USING hash (x); CREATE INDEX a_y ON a (y);
        CREATE INDEX a_like ON a (y text_pattern_ops); CREATE INDEX a_c ON a (y COLLATE "C");
        CREATE INDEX a_low1 ON a (lower(y)); CREATE INDEX a_low2 ON a (LOWER(y)); CREATE INDEX a_up ON a (upper(y));
        CREATE UNIQUE INDEX a_u ON a (x, y); CREATE UNIQUE INDEX a_v ON a (x, y) NULLS NOT DISTINCT;
        CREATE INDEX a_incl ON a (x) INCLUDE (y)"""
    )
    found = verify(indexes=[{"table": "a", "columns": ["x"], "name": "a_x2"}])
    assert not found["failed"]
    named = {name for name, verdict in verdicts(found).items() if verdict == "duplicate"}
    assert named - {"public.a_low1", "public.a_low2"} == {"public.a_id", "public.a_x1"}
    assert len(named & {"public.a_low1", "public.a_low2"}) == 1
    for row in found["rows"]:
        apply(sql, row["fix"])
    left = verify()
    assert left["rows"] == []
    assert sql("SELECT count(*) FROM pg_index WHERE indrelid = 'a'::regclass") == [(13,)]


def test_a_constraint_that_doubles_another_is_dropped_as_one(verify, sql):
    sql(
        """CREATE TABLE a (id int PRIMARY KEY); ALTER TABLE a ADD CONSTRAINT "Twice" UNIQUE (id);
        CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a (id)); CREATE INDEX ON b (a)"""
    )
    (row,) = verify()["rows"]
    assert row["fix"] == 'ALTER TABLE public.a DROP CONSTRAINT "Twice";'
    apply(sql, row["fix"])
    assert verify()["rows"] == []


def test_a_foreign_key_is_found_with_all_that_is_declared_of_it(verify, sql):
    sql(TENANTS)
    full = {**ITEM_TENANT, "references_columns": ["id"], "name": "item_tenant", "on_delete": "cascade"}
    answer = verify(foreign_keys=[full])
    assert not answer["failed"]
    assert only(answer)["verdict"] == "ok"


@pytest.mark.parametrize(
    ("change", "verdict", "why"),
    [
        ({"columns": ["id"]}, "missing", "no such constraint"),
        ({"columns": ["colour"]}, "missing", "public.item has no column colour"),
        ({"table": "lorry"}, "missing", "there is no table public.lorry"),
        ({"references": "item"}, "different", "it references public.tenant"),
        ({"references_columns": ["slug"]}, "different", "tenant_id references id"),
        ({"on_delete": "restrict"}, "different", "on delete it does cascade"),
        ({"name": "item_owner"}, "renamed", "it is called item_tenant"),
    ],
)
def test_a_foreign_key_that_is_not_as_declared_says_in_what(verify, sql, change, verdict, why):
    sql(TENANTS)
    row = only(verify(foreign_keys=[{**ITEM_TENANT, **change}]))
    assert (row["verdict"], row["why"]) == (verdict, why)


def test_the_fixes_of_foreign_keys_mend_them(verify, sql):
    sql("CREATE TABLE tenant (id int PRIMARY KEY); CREATE TABLE item (id int PRIMARY KEY, tenant_id int)")
    wanted = {**ITEM_TENANT, "on_delete": "set null"}
    for verdict in ("missing", "unindexed"):
        row = only(verify(foreign_keys=[wanted]))
        assert row["verdict"] == verdict
        apply(sql, row["fix"])
    assert only(verify(foreign_keys=[wanted]))["verdict"] == "ok"
    sql("ALTER TABLE item DROP CONSTRAINT item_tenant_id_fkey")
    sql("ALTER TABLE item ADD FOREIGN KEY (tenant_id) REFERENCES tenant ON DELETE SET NULL NOT VALID")
    row = only(verify(foreign_keys=[wanted]))
    assert row["verdict"] == "not_validated"
    apply(sql, row["fix"])
    assert only(verify(foreign_keys=[wanted]))["verdict"] == "ok"
    different = {**wanted, "on_delete": "cascade"}
    apply(sql, only(verify(foreign_keys=[different]))["fix"])
    assert only(verify(foreign_keys=[different]))["verdict"] == "ok"


def test_a_foreign_key_of_two_columns_is_one_and_keeps_its_pairs(verify, sql):
    sql(
        """CREATE TABLE room (house int, number int, PRIMARY KEY (house, number));
        CREATE TABLE bed (id int PRIMARY KEY, n int, h int, FOREIGN KEY (h, n) REFERENCES room (house, number));
        CREATE INDEX ON bed (n, h, id)"""
    )
    wanted = {"table": "bed", "columns": ["n", "h"], "references": "room", "references_columns": ["number", "house"]}
    answer = verify(foreign_keys=[wanted])
    assert [row["verdict"] for row in answer["rows"]] == ["ok"]
    crossed = only(verify(foreign_keys=[{**wanted, "references_columns": ["house", "number"]}]))
    assert crossed["verdict"] == "different"


def test_constraints_of_one_name_stay_apart_across_tables_and_schemas(verify, sql):
    sql("CREATE TABLE tenant (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)")
    for number in range(4):
        schema = f"s{number}"
        sql(f"CREATE SCHEMA {schema}")
        for table in ("item", "note"):
            sql(
                f"""CREATE TABLE {schema}.{table} (tenant_id int CONSTRAINT fk_tenant REFERENCES
                public.{"other" if (number, table) == (3, "note") else "tenant"});
                CREATE INDEX fk_{table} ON {schema}.{table} (tenant_id)"""
            )
    wanted = [
        {**ITEM_TENANT, "schema": f"s{number}", "table": table, "references_schema": "public", "name": "fk_tenant"}
        for number in range(4)
        for table in ("item", "note")
    ]
    answer = verify(foreign_keys=wanted)
    assert len(answer["rows"]) == 8
    assert answer["counts"] == {"different": 1, "ok": 7}
    assert answer["rows"][0]["object"] == "s3.note (tenant_id)"
    assert answer["rows"][0]["why"] == "it references public.other"


def test_foreign_keys_without_an_index_are_told(verify, sql):
    sql(
        """CREATE TABLE tenant (id int PRIMARY KEY);
        CREATE TABLE a (tenant_id int REFERENCES tenant);
        CREATE TABLE b (tenant_id int REFERENCES tenant, x int); CREATE INDEX ON b (x, tenant_id);
        CREATE TABLE c (tenant_id int REFERENCES tenant, x int); CREATE INDEX ON c (tenant_id) WHERE x > 1;
        CREATE TABLE d (tenant_id int REFERENCES tenant); CREATE INDEX ON d (tenant_id) WHERE tenant_id IS NOT NULL;
        CREATE TABLE e (tenant_id int REFERENCES tenant, x int); CREATE UNIQUE INDEX ON e (tenant_id, x);
        CREATE TABLE f (tenant_id int REFERENCES tenant); CREATE INDEX ON f USING hash (tenant_id);
        CREATE TABLE g (tenant_id int REFERENCES tenant); CREATE INDEX ON g USING brin (tenant_id)"""
    )
    found = verify(fail_on=["unindexed"])
    assert found["failed"]
    assert set(verdicts(found)) == {f"public.{table} (tenant_id)" for table in "abcg"}
    for row in found["rows"]:
        apply(sql, row["fix"])
    assert not verify(fail_on=["unindexed"])["failed"]


def test_a_foreign_key_may_be_declared_to_need_no_index(verify, sql):
    sql(f"{TENANTS} DROP INDEX item_by_tenant")
    answer = verify(foreign_keys=[{**ITEM_TENANT, "index": False}], fail_on=["unindexed"])
    assert not answer["failed"]
    assert only(answer)["why"] == "without an index, as declared"


def test_only_what_is_asked_for_is_looked_for(verify, broken, sql):
    sql("CREATE SCHEMA other; CREATE TABLE other.a (id int)")
    sql("CREATE INDEX x ON other.a (id); CREATE INDEX y ON other.a (id)")
    assert verify(undeclared=[])["rows"] == []
    assert [row["verdict"] for row in verify(undeclared=["duplicate"])["rows"]] == ["duplicate"]
    assert set(verdicts(verify(schemas=["public"])).values()) == {"invalid"}


def test_quoted_names_as_prisma_makes_them(verify, sql):
    sql(PRISMA)
    index = {
        "table": "StudentProgress",
        "columns": ["userId", "syncedAt"],
        "name": "StudentProgress_userId_syncedAt_idx",
        "query": 'SELECT * FROM "public"."StudentProgress" WHERE "userId" = $1 AND "syncedAt" > $2 ORDER BY "order"',
    }
    key = {
        "table": "StudentProgress", "columns": ["userId"], "references": "User", "references_columns": ["id"],
        "name": "StudentProgress_userId_fkey", "on_delete": "restrict",
    }  # fmt: skip
    table = {"name": "StudentProgress", "columns": {"syncedAt": "timestamp(3)", "order": "int"}}
    right = verify(tables=[table], indexes=[index], foreign_keys=[key])
    assert [row["verdict"] for row in right["rows"]] == ["ok", "ok", "ok"], right["table"]
    assert all(row["chosen"] for row in right["rows"] if row["kind"] == "index")
    folded = verify(indexes=[{**index, "table": "studentprogress"}])
    assert only(folded)["verdict"] == "missing"
    sql('DROP INDEX "StudentProgress_userId_syncedAt_idx"')
    row = only(verify(indexes=[index]))
    apply(sql, row["fix"])
    assert only(verify(indexes=[index]))["verdict"] == "ok"


@pytest.mark.parametrize("rows", [1, 30_000])
def test_partitioned_tables(verify, sql, rows):
    sql(PARTED)
    sql("INSERT INTO tenant SELECT generate_series(1, 5000)")
    sql(f"INSERT INTO event SELECT g, date '2025-01-01' + g % 700, g % 5000 + 1 FROM generate_series(1, {rows}) g")
    sql("ANALYZE")
    index = {
        "table": "event", "columns": ["tenant_id", "at"], "name": "event_tenant",
        "query": "SELECT * FROM event WHERE tenant_id = $1 AND at > $2",
    }  # fmt: skip
    key = {"table": "event", "columns": ["tenant_id"], "references": "tenant"}
    right = verify(indexes=[index], foreign_keys=[key])
    assert [row["verdict"] for row in right["rows"]] == ["ok", "ok"], right["table"]
    assert all(row["chosen"] for row in right["rows"] if row["kind"] == "index")
    part = only(verify(indexes=[{**index, "table": "event_2026", "name": "", "query": ""}]))
    assert part["verdict"] == "ok"


def test_a_partitioned_index_without_all_of_its_parts_is_invalid(verify, sql):
    sql(f"{PARTED} DROP INDEX event_tenant; CREATE INDEX event_tenant ON ONLY event (tenant_id, at)")
    answer = verify(indexes=[{"table": "event", "columns": ["tenant_id", "at"]}], rebuild=True)
    assert only(answer)["verdict"] == "invalid"
    assert "partition" in only(answer)["why"]
    assert answer["rebuilt"] == []
    unindexed = [row for row in answer["rows"] if row["verdict"] == "unindexed"]
    assert [row["object"] for row in unindexed] == ["public.event (tenant_id)"], "and not its partitions"
    sql("DROP INDEX event_tenant")
    row = only(verify(indexes=[{"table": "event", "columns": ["tenant_id", "at"], "name": "event_tenant"}]))
    apply(sql, row["fix"])
    assert only(verify(indexes=[{"table": "event", "columns": ["tenant_id", "at"]}]))["verdict"] == "ok"


def test_scans_of_a_partitioned_index_are_those_of_its_parts(verify, sql):
    sql(PARTED)
    sql("SET enable_seqscan = off; SELECT * FROM event_2025 WHERE tenant_id = 1 AND at = '2025-03-03'")
    answer = verify(indexes=[{"table": "event", "columns": ["tenant_id", "at"]}])
    assert answer["scans"] == {"public.event_tenant": 1}
