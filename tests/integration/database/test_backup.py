# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Backups of a real database, and what becomes of them when something goes wrong."""

from __future__ import annotations

import itertools
import json
import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database import backup
from ansible_collections.greenlight.deploy.plugins.module_utils.database.dump import read_to_the_end
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import BackupDamaged
from ansible_collections.greenlight.deploy.plugins.modules import pg_backup, pg_backup_info, pg_restore
from ansible_collections.greenlight.deploy.tests.integration.database.conftest import PASSWORD

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


def test_rows_written_during_the_dump_are_not_in_it(run_module, arguments, cluster, filled, monkeypatch):
    """The snapshot is taken first; then somebody writes, and only then pg_dump begins."""
    real = backup.dump

    def later(*rest):
        cluster.sql(filled, "INSERT INTO orders SELECT generate_series(30001, 30500)")
        real(*rest)

    monkeypatch.setattr(backup, "dump", later)
    result = run_module(pg_backup, {**arguments, "verification": "restore"})
    assert (result["failed"], result["backup"]["rows"]) == (False, 20107)
    assert cluster.sql(filled, "SELECT count(*) FROM orders") == [(20500,)]


def test_roles_are_saved_without_their_passwords(run_module, arguments, cluster, app_role):
    path = Path(run_module(pg_backup, arguments)["path"])
    saved = (path / "globals.sql").read_text()
    assert 'CREATE ROLE "app user"' in saved
    assert "PASSWORD" not in saved
    assert "SCRAM" not in saved


def test_the_owner_of_a_database_saves_it_by_url_and_its_password_is_nowhere(
    run_module, arguments, cluster, filled, app_role
):
    for table in ("orders", "parts", "parts_low", '"Odd ""one"""."Näme"'):
        cluster.sql(filled, f'ALTER TABLE {table} OWNER TO "app user"')
    cluster.sql(filled, 'GRANT ALL ON SCHEMA "Odd ""one""" TO "app user"')
    cluster.sql(filled, f'ALTER DATABASE "{filled}" OWNER TO "app user"')
    cluster.sql(filled, "SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
    url = f"postgresql://app%20user:{quote(PASSWORD, safe='')}@127.0.0.1:{cluster.port}/{filled}"
    rest = {name: arguments[name] for name in ("app", "deployment", "place")}
    result = run_module(pg_backup, {**rest, "url": url})
    assert not result["failed"], result
    shown = json.dumps(result, ensure_ascii=False) + "".join(
        path.read_text(errors="replace") for path in Path(result["path"]).rglob("*") if path.is_file()
    )
    assert PASSWORD not in shown
    assert quote(PASSWORD, safe="") not in shown
    broken = run_module(pg_backup, {**rest, "url": url.replace(filled, "nowhere")})
    assert broken["failed"]
    assert PASSWORD not in json.dumps(broken, ensure_ascii=False)


def test_a_database_that_does_not_exist_leaves_nothing(run_module, arguments, tmp_path):
    result = run_module(pg_backup, {**arguments, "database": "nowhere"})
    assert result["error"]["what"] == "there is no database nowhere"
    assert not (tmp_path / "backups").exists()


def test_a_database_that_goes_during_the_dump_leaves_nothing(run_module, arguments, cluster, filled, monkeypatch):
    real = backup.dump

    dropping = threading.Timer(0.05, cluster.sql, ["postgres", f'DROP DATABASE "{filled}" WITH (FORCE)'])

    def gone(*rest):
        dropping.start()
        real(*rest)

    cluster.sql(filled, "INSERT INTO orders SELECT n, repeat(md5(n::text), 30) FROM generate_series(20001, 120000) n")
    monkeypatch.setattr(backup, "dump", gone)
    result = run_module(pg_backup, arguments)
    dropping.join()
    assert result["failed"]
    assert everything_in(arguments["place"]) == ["shop", f"shop/{filled}"]


@pytest.fixture
def small_disk(tmp_path):
    """A file system with one megabyte."""
    if os.geteuid():
        pytest.skip("mounting needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_too_little_room_is_seen_before_anything_is_written(run_module, arguments, small_disk):
    result = run_module(pg_backup, {**arguments, "place": str(small_disk)})
    assert "MiB are free, the backup needs" in result["error"]["what"]
    assert result["error"]["where"].startswith(str(small_disk))
    assert everything_in(str(small_disk)) == ["shop", f"shop/{arguments['database']}"]


def test_a_disk_that_becomes_full_leaves_nothing(run_module, arguments, cluster, filled, small_disk):
    cluster.sql(filled, "INSERT INTO orders SELECT n, gen_random_uuid()::text FROM generate_series(20001, 90000) n")
    result = run_module(pg_backup, {**arguments, "place": str(small_disk), "space_factor": 0})
    assert "free space on that file system" in result["error"]["do"]
    assert everything_in(str(small_disk)) == ["shop", f"shop/{filled}"]
    free = os.statvfs(small_disk)
    assert free.f_bavail * free.f_frsize > 900_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_told_to_end_it_leaves_nothing(run_module, arguments, filled, monkeypatch, number):
    def told(*_rest):
        os.kill(os.getpid(), number)

    monkeypatch.setattr(backup, "files_of", told)
    with pytest.raises((json.JSONDecodeError, AssertionError)):
        run_module(pg_backup, arguments)
    assert everything_in(arguments["place"]) == ["shop", f"shop/{filled}"]


def test_killed_at_any_step_there_is_a_whole_backup_or_none(run_module, run_killed, arguments, cluster, filled):
    arguments["verification"] = "restore"
    for step in itertools.count(1):
        steps = run_killed("pg_backup", {**arguments, "deployment": f"D{step}"}, step)
        result = run_module(pg_backup_info, info(arguments, check="read"))
        assert (result["damaged"], [each["id"] for each in result["backups"] if each["id"] == f"D{step}"]) in (
            ({}, []),
            ({}, [f"D{step}"]),
        )
        if steps is not None:
            break
    assert steps > 5
    result = run_module(pg_backup, {**arguments, "deployment": "D1"})
    assert not result["failed"], result
    left = [name for name in everything_in(arguments["place"]) if "partial" in name or "gone" in name]
    assert (left, databases(cluster, f"^{filled}_verify")) == ([], [])


def info(arguments, **more):
    return {**{name: arguments[name] for name in ("app", "database", "place")}, **more}


DAMAGES = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "one bit": lambda path: path.write_bytes(flipped(path.read_bytes())),
    "gone": lambda path: path.unlink(),
}


def flipped(content):
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_dump_is_found_by_checksum_and_by_reading(run_module, arguments, damage):
    path = Path(run_module(pg_backup, arguments)["path"])
    largest = max((path / "dump").glob("*.gz"), key=lambda each: each.stat().st_size)
    DAMAGES[damage](largest)
    assert run_module(pg_backup_info, info(arguments))["damaged"] == {}
    found = run_module(pg_backup_info, info(arguments, check="checksum"))
    assert largest.name in found["damaged"][FIRST]
    assert (found["newest"], found["age"]) == ("", None)
    with pytest.raises(BackupDamaged, match="pg_restore"):
        read_to_the_end(path, json.loads((path / "manifest.json").read_text())["program_version"])
    again = run_module(pg_backup, arguments)
    assert largest.name in again["error"]["what"]


def test_a_dump_that_cannot_be_read_never_becomes_a_backup(run_module, arguments, filled, monkeypatch):
    real = backup.dump

    def broken(programs, snapshot, folder, *rest):
        real(programs, snapshot, folder, *rest)
        largest = max((folder / "dump").glob("*.gz"), key=lambda each: each.stat().st_size)
        DAMAGES["cut off"](largest)

    monkeypatch.setattr(backup, "dump", broken)
    assert run_module(pg_backup, arguments)["failed"]
    assert everything_in(arguments["place"]) == ["shop", f"shop/{filled}"]


def test_two_at_once_take_one(arguments, cluster, filled):
    """Two processes with the same id: the second waits, then finds the backup of the first."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    options = {**arguments, "_ansible_remote_tmp": "/tmp", "_ansible_keep_remote_files": False}
    argv = [sys.executable, str(Path(__file__).with_name("killed.py")), "pg_backup", "0"]

    def answer(_number):
        done = subprocess.run(
            argv, input=json.dumps(options), env=environment, check=True, capture_output=True, text=True
        )
        return json.loads(done.stdout)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(answer, range(2)))
    assert sorted(answer["changed"] for answer in answers) == [False, True]
    assert answers[0]["backup"] == answers[1]["backup"]


def test_a_dump_of_another_size_stops_and_may_be_accepted(run_module, arguments, cluster, filled):
    cluster.sql(filled, "INSERT INTO orders SELECT n, gen_random_uuid()::text FROM generate_series(20001, 40000) n")
    run_module(pg_backup, arguments)
    cluster.sql(filled, "TRUNCATE orders")
    stopped = run_module(pg_backup, {**arguments, "deployment": SECOND})
    assert "of the usual" in stopped["error"]["what"]
    assert not [name for name in everything_in(arguments["place"]) if SECOND in name]
    accepted = run_module(pg_backup, {**arguments, "deployment": SECOND, "size_change": "accept"})
    assert (accepted["failed"], accepted["changed"]) == (False, True)


def test_a_young_backup_is_relied_upon_and_that_is_said(run_module, arguments):
    run_module(pg_backup, arguments)
    result = run_module(pg_backup, {**arguments, "deployment": SECOND, "fresh_within": 3600})
    assert (result["changed"], result["backup"]["id"]) == (False, FIRST)
    assert result["sentence"].startswith(f"no backup was taken, {FIRST}")
    assert "3600 s are allowed" in result["sentence"]
    result = run_module(pg_backup, {**arguments, "deployment": SECOND, "fresh_within": 3600, "verification": "restore"})
    assert (result["changed"], result["backup"]["id"], result["backup"]["verification"]) == (True, FIRST, "restore")


def test_old_backups_go_and_the_newest_never(run_module, arguments):
    for number in range(4):
        result = run_module(pg_backup, {**arguments, "deployment": f"D{number}", "keep_deploy": 2})
    assert result["removed"] == ["D1"]
    result = run_module(
        pg_backup, {**arguments, "kind": "scheduled", "deployment": "S0", "keep_deploy": 0, "keep_daily": 0}
    )
    assert result["removed"] == ["D2", "D3"]
    assert [each["id"] for each in run_module(pg_backup_info, info(arguments))["backups"]] == ["S0"]


def test_media_is_archived_after_the_snapshot_into_the_same_backup(run_module, arguments, tmp_path):
    media = tmp_path / "media folder"
    (media / "users").mkdir(parents=True)
    (media / "users" / "größe.png").write_bytes(os.urandom(5000))
    (media / "link").symlink_to("users")
    result = run_module(pg_backup, {**arguments, "media": str(media)})
    manifest = json.loads(Path(result["path"], "manifest.json").read_text())
    assert manifest["media"] == {"path": str(media), "archive": "media.tar.gz", "files": 1, "bytes": 5000}
    assert "media.tar.gz" in manifest["files"]
    with tarfile.open(Path(result["path"], "media.tar.gz")) as archive:
        assert set(archive.getnames()) == {".", "./users", "./users/größe.png", "./link"}
    missing = run_module(pg_backup, {**arguments, "deployment": SECOND, "media": str(tmp_path / "nowhere")})
    assert "is no folder" in missing["error"]["what"]


def test_check_mode_takes_nothing(run_module, arguments, tmp_path):
    result = run_module(pg_backup, arguments, check=True)
    assert (result["failed"], result["changed"], result["backup"]) == (False, True, None)
    assert not (tmp_path / "backups").exists()
    run_module(pg_backup, arguments)
    assert run_module(pg_backup, arguments, check=True)["changed"] is False


def test_a_compression_that_pg_dump_does_not_have_is_said(run_module, arguments, cluster):
    if int(cluster.programs.parent.name) >= 16:
        pytest.skip("this PostgreSQL has it")
    result = run_module(pg_backup, {**arguments, "compression": "zstd"})
    assert result["error"]["what"] == f"pg_dump {cluster.programs.parent.name} has no zstd"


def test_a_manifest_that_is_none_is_reported_and_blocks_nothing(run_module, arguments):
    path = Path(run_module(pg_backup, arguments)["path"])
    (path / "manifest.json").write_text('{"version": 1}')
    assert not run_module(pg_backup, {**arguments, "deployment": SECOND})["failed"]
    found = run_module(pg_backup_info, info(arguments))
    assert (found["newest"], list(found["damaged"])) == (SECOND, [FIRST])


def test_a_role_that_may_create_databases_proves_its_own_by_a_restore(run_module, arguments, cluster, app_role):
    """As applications are deployed: the role owns its database and is no superuser."""
    cluster.sql("postgres", 'ALTER ROLE "app user" CREATEDB')
    like = "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-DE'"
    cluster.sql("postgres", f'CREATE DATABASE app_own OWNER "app user" {like}')
    own = {"host": "127.0.0.1", "user": app_role, "password": PASSWORD}
    connection = cluster.connect("app_own", **own)
    for statement in (
        "CREATE EXTENSION pg_trgm",
        "CREATE TABLE orders AS SELECT generate_series(1, 50) AS n",
        "CREATE SCHEMA side",
        "CREATE TABLE side.notes (n int PRIMARY KEY)",
        "GRANT SELECT ON orders TO PUBLIC",
    ):
        connection.cursor().execute(statement)
    connection.close()
    url = f"postgresql://app%20user:{quote(PASSWORD, safe='')}@127.0.0.1:{cluster.port}/app_own"
    options = {"app": "shop", "deployment": FIRST, "place": arguments["place"], "url": url, "verification": "restore"}
    result = run_module(pg_backup, options)
    assert not result["failed"], result
    surroundings = result["backup"]["surroundings"]
    assert (surroundings["provider"], surroundings["locale"], surroundings["owner"]) == ("i", "de-DE", "app user")
    restored = run_module(pg_restore, {"app": "shop", "place": arguments["place"], "url": url, "confirm": "app_own"})
    assert not restored["failed"], restored
    assert cluster.sql("app_own", "SELECT count(*) FROM orders") == [(50,)]
    assert sorted(databases(cluster, "^app_own")) == ["app_own", f"app_own_replaced_{FIRST}"]
