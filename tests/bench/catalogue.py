# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verification of a large catalogue beside the runbook's queries for the same, one after the other.

    python tests/bench/catalogue.py [TABLES]

Starts a PostgreSQL of its own and gives it 10,000 tables with 30,000 indexes and 10,000 foreign keys. Ours is a process
of its own each time, from the start of Python to the result: everything that is wrong in the catalogue, and a dozen
declared things with their plans. The runbook joins the information schema by names; it is given 110 times as long, then
it is cancelled.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2

ROOT = Path(__file__).parents[2]
TABLES, SCHEMAS, RUNS, PATIENCE = 10_000, 10, 3, 110
SETTINGS = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "listen_addresses": "''",
    "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB", "shared_buffers": "256MB",
    "autovacuum": "off",
}  # fmt: skip
MODULE = """
import json, resource, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.greenlight.deploy.plugins.modules import pg_index_verify
internal = {"_ansible_remote_tmp": "/tmp", "_ansible_keep_remote_files": False}
try:
    with patch_module_args({**json.load(sys.stdin), **internal}):
        pg_index_verify.main()
finally:
    sys.stderr.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
"""
RUNBOOK = {
    "foreign keys by information_schema": """
        SELECT tc.table_name, kcu.column_name, ccu.table_name AS foreign_table_name,
            ccu.column_name AS foreign_column_name
        FROM information_schema.table_constraints AS tc
        JOIN information_schema.key_column_usage AS kcu ON tc.constraint_name = kcu.constraint_name
        JOIN information_schema.constraint_column_usage AS ccu ON ccu.constraint_name = tc.constraint_name
        WHERE tc.constraint_type = 'FOREIGN KEY' AND tc.table_name LIKE 'sync_%'""",
    "indexes by pg_indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes WHERE tablename LIKE 'sync_%'
        ORDER BY tablename, indexname""",
}


@contextmanager
def cluster(top: Path) -> Iterator[Any]:
    """A PostgreSQL below ``top``, and a connection that commits each statement; gone at the end."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    account: dict[str, Any] = {} if os.geteuid() else {"user": pwd.getpwnam("postgres").pw_uid, "extra_groups": []}
    if account:
        os.chown(top, pwd.getpwnam("postgres").pw_uid, -1)

    def program(name: str, *words: str) -> None:
        argv = [str(programs / name), "-D", str(top / "data"), *words]
        subprocess.run(argv, check=True, cwd=top, stdout=subprocess.DEVNULL, **account)

    program("initdb", "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
    words = " ".join(f"-c {name}={value}" for name, value in {**SETTINGS, "unix_socket_directories": top}.items())
    program("pg_ctl", "-w", "-l", str(top / "log"), "-o", words, "start")
    try:
        connection = psycopg2.connect(host=str(top), user="postgres", dbname="postgres")
        connection.autocommit = True
        yield connection
        connection.close()
    finally:
        program("pg_ctl", "-m", "immediate", "stop")


def fill(connection: Any, tables: int) -> None:
    """Make the catalogue: three indexes and a foreign key without an index for each table."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.parent (id bigint PRIMARY KEY)")
        for schema in range(SCHEMAS):
            cursor.execute(f"CREATE SCHEMA s{schema}")
            for first in range(0, tables // SCHEMAS, 100):
                numbers = range(first, min(first + 100, tables // SCHEMAS))
                cursor.execute("".join(table(schema, number) for number in numbers))
        for catalogue in ("pg_class", "pg_attribute", "pg_constraint", "pg_index", "pg_namespace", "pg_depend"):
            cursor.execute(f"VACUUM ANALYZE pg_catalog.{catalogue}")


def table(schema: int, number: int) -> str:
    """SQL of one table; the names of constraints are unique, which is kind to the runbook."""
    name = f"s{schema}.sync_t{number}"
    return (
        f"CREATE TABLE {name} (id bigint PRIMARY KEY, a int, b text, parent_id bigint "
        f"CONSTRAINT fk_{schema}_{number} REFERENCES public.parent (id));"
        f"CREATE INDEX ON {name} (a); CREATE INDEX ON {name} (b, a);"
    )


def ours(top: Path) -> tuple[float, float, dict[str, Any]]:
    """One run of the module: seconds and megabytes of its process, and its answer."""
    index = {"columns": ["b", "a"]}
    options = {
        "login_host": str(top),
        "database": "postgres",
        "indexes": [
            {**index, "schema": f"s{n}", "table": f"sync_t{n}", "query": query(n) if n < 4 else ""} for n in range(8)
        ],
        "foreign_keys": [
            {"schema": f"s{n}", "table": f"sync_t{n}", "columns": ["parent_id"], "references": "parent",
             "references_schema": "public", "index": False}
            for n in range(8)
        ],
    }  # fmt: skip
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", MODULE],
        env={**os.environ, "PYTHONPATH": str(ROOT / ".cache/collections")},
        input=json.dumps(options), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return time.monotonic() - began, int(done.stderr.split()[-1]) / 1024, json.loads(done.stdout)


def query(number: int) -> str:
    """A query for the declared index of one table."""
    return f"SELECT * FROM s{number}.sync_t{number} WHERE b = $1 AND a = $2"


def runbook(connection: Any, statement: str, deadline: float) -> tuple[float, str]:
    """Seconds of one of the runbook's queries, and the number of its rows or that it was cancelled."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = {round(deadline * 1000)}")
        try:
            cursor.execute(statement)
            found = f"{len(cursor.fetchall())} rows"
        except psycopg2.errors.QueryCanceled:
            found = "cancelled, not done"
    return time.monotonic() - began, found


def main() -> None:
    """Measure, and print a line for each way."""
    tables = int(sys.argv[1]) if len(sys.argv) > 1 else TABLES
    top = Path(tempfile.mkdtemp(prefix="gl-catalogue-"))
    try:
        with cluster(top) as connection:
            began = time.monotonic()
            fill(connection, tables)
            print(f"{tables} tables, {3 * tables} indexes, made in {time.monotonic() - began:.0f} s")
            measured = [ours(top) for _run in range(RUNS)]
            seconds = statistics.median(run[0] for run in measured)
            megabytes = max(run[1] for run in measured)
            print(f"verification: {seconds:.2f} s, {megabytes:.0f} MB, {measured[0][2]['counts']}")
            for name, statement in RUNBOOK.items():
                took, found = runbook(connection, statement, PATIENCE * seconds)
                print(f"{name}: {took:.2f} s, {found}; {took / seconds:.1f} times as long")
    finally:
        shutil.rmtree(top)


if __name__ == "__main__":
    main()
