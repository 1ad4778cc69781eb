# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups of a real database, and what becomes of them when something goes wrong."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.modules import pg_backup

FIRST, SECOND = "20261122T124500Z-1a2b3c4", "20261123T090000Z-7f3c2aa"


@pytest.fixture
def filled(cluster, database):
    """A database with what is easily lost: other schemas, odd names, partitions, privileges, settings."""
    for statement in (
        "CREATE TABLE orders (id bigint PRIMARY KEY, note text)",
        "INSERT INTO orders SELECT n, md5(n::text) FROM generate_series(1, 20000) n",
        'CREATE SCHEMA "Odd ""one"""',
        'CREATE TABLE "Odd ""one"""."Näme" AS SELECT generate_series(1, 7) AS n',
        "CREATE TABLE parts (n int) PARTITION BY RANGE (n)",
        "CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100)",
        "INSERT INTO parts SELECT generate_series(0, 99)",
        "CREATE EXTENSION hstore",
        "SELECT lo_from_bytea(0, 'large')",
        f"ALTER DATABASE \"{database}\" SET work_mem = '8MB'",
    ):
        cluster.sql(database, statement)
    return database


@pytest.fixture
def arguments(login, filled, tmp_path):
    return {**login, "database": filled, "app": "shop", "deployment": FIRST, "place": str(tmp_path / "backups")}


def everything_in(place: str) -> list[str]:
    """What stands below the folder of backups, without lock files."""
    return sorted(str(path.relative_to(place)) for path in Path(place).rglob("*") if path.name != ".lock")


def databases(cluster, name):
    return [each for (each,) in cluster.sql("postgres", "SELECT datname FROM pg_database WHERE datname ~ %s", name)]


def test_a_backup_holds_what_was_counted_in_its_own_snapshot(run_module, arguments, filled):
    result = run_module(pg_backup, arguments)
    assert (result["changed"], result["removed"]) == (True, [])
    manifest = json.loads(Path(result["path"], "manifest.json").read_text())
    assert manifest["tables"] == {
        '"public"."orders"': 20000, '"Odd ""one"""."Näme"': 7, '"public"."parts_low"': 100,
    }  # fmt: skip
    assert (manifest["large_objects"], manifest["extensions"]["hstore"]) == (1, "1.8")
    assert manifest["surroundings"]["settings"] == [{"role": "", "name": "work_mem", "value": "8MB"}]
    assert {"dump/toc.dat", "globals.sql"} <= set(manifest["files"])
    assert "20107 rows of 3 tables" in result["sentence"]


def test_nobody_else_may_read_it(run_module, arguments):
    path = Path(run_module(pg_backup, arguments)["path"])
    modes = {stat.S_IMODE(each.stat().st_mode) for each in (path, *path.rglob("*")) if each.is_file()}
    assert modes == {0o600}
    assert {stat.S_IMODE(each.stat().st_mode) for each in (path.parent.parent, path.parent, path)} == {0o700}


def test_a_restore_proves_it_and_leaves_no_database(run_module, arguments, cluster, filled):
    result = run_module(pg_backup, {**arguments, "verification": "restore"})
    assert result["backup"]["verification"] == "restore"
    assert result["backup"]["seconds"]["restore"] > 0
    assert databases(cluster, f"^{filled}_") == []


def test_a_second_run_changes_nothing(run_module, arguments, cluster, filled):
    first = run_module(pg_backup, arguments)
    before = {path: path.stat() for path in Path(first["path"]).rglob("*")}
    cluster.sql(filled, "DELETE FROM orders")
    second = run_module(pg_backup, arguments)
    assert (second["changed"], second["backup"]) == (False, first["backup"])
    assert {path: path.stat() for path in Path(first["path"]).rglob("*")} == before
    assert "it is there already" in second["sentence"]
