# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restores of a real database by a swap of names, while clients use it and while the run is killed."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from pathlib import Path

import psycopg2
import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database import closing, contents, recovery, swap
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import server_of
from ansible_collections.greenlight.deploy.plugins.modules import pg_backup, pg_restore
from ansible_collections.greenlight.deploy.tests.integration.database.conftest import PASSWORD, unprivileged

BACKUP = "20261122T124500Z-1a2b3c4"
SURROUNDINGS = """
SELECT rolname, datconnlimit, dattablespace, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a),
  (SELECT array_agg(c ORDER BY c) FROM unnest(setconfig) c), shobj_description(d.oid, 'pg_database')
FROM pg_database d JOIN pg_roles r ON r.oid = datdba LEFT JOIN pg_db_role_setting s ON setdatabase = d.oid
WHERE datname = %s ORDER BY setrole
"""


@pytest.fixture
def roles(cluster):
    """Two roles; whatever they own or may do is gone with the databases."""
    cluster.sql("postgres", 'CREATE ROLE "shop owner"; CREATE ROLE reporting')
    yield
    cluster.sql("postgres", 'DROP ROLE "shop owner"; DROP ROLE reporting')


@pytest.fixture
def saved(run_module, cluster, roles, database, login, tmp_path):
    """A database with a backup, and with orders that came after it; the options to restore it."""
    for statement in (
        "CREATE TABLE orders (id bigint PRIMARY KEY)",
        "INSERT INTO orders SELECT generate_series(1, 5000)",
        'ALTER TABLE orders OWNER TO "shop owner"',
        "GRANT SELECT ON orders TO reporting",
        "CREATE EXTENSION hstore",
        f'ALTER DATABASE "{database}" OWNER TO "shop owner"',
        f"ALTER DATABASE \"{database}\" SET search_path TO '$user', public, 'Odd \"one'",
        f'ALTER DATABASE "{database}" CONNECTION LIMIT 30',
        f'REVOKE CONNECT ON DATABASE "{database}" FROM PUBLIC',
        f'GRANT CONNECT ON DATABASE "{database}" TO reporting WITH GRANT OPTION',
        f"COMMENT ON DATABASE \"{database}\" IS 'the shop''s'",
    ):
        cluster.sql(database, statement)
    arguments = {**login, "database": database, "app": "shop", "place": str(tmp_path / "backups")}
    assert not run_module(pg_backup, {**arguments, "deployment": BACKUP})["failed"]
    cluster.sql(database, "INSERT INTO orders SELECT generate_series(5001, 5012)")
    return {**arguments, "backup": BACKUP}


def orders(cluster, database):
    return cluster.sql(database, "SELECT count(*) FROM public.orders")[0][0]


def databases(cluster, database):
    names = cluster.sql("postgres", "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", database)
    return {name.removeprefix(database) for (name,) in names}


def test_it_is_back_with_all_that_belonged_to_it_and_what_was_is_kept(run_module, cluster, saved, database):
    before = cluster.sql("postgres", SURROUNDINGS, database)
    result = run_module(pg_restore, {**saved, "confirm": database})
    assert not result["failed"], result
    assert (result["changed"], orders(cluster, database)) == (True, 5000)
    assert cluster.sql("postgres", SURROUNDINGS, database) == before
    assert databases(cluster, database) == {"", f"_replaced_{BACKUP}"}
    assert orders(cluster, result["replaced"]) == 5012
    assert result["loss"]["tables"] == [{"name": '"public"."orders"', "now": 5012, "backup": 5000}]
    owned = "SELECT tableowner, has_table_privilege('reporting', 'public.orders', 'SELECT') FROM pg_tables"
    assert cluster.sql(database, f"{owned} WHERE tablename = 'orders'") == [("shop owner", True)]


def test_a_second_run_changes_nothing(run_module, cluster, saved, database):
    run_module(pg_restore, {**saved, "confirm": database})
    cluster.sql(database, "INSERT INTO orders VALUES (9000)")
    result = run_module(pg_restore, {**saved, "confirm": database})
    assert (result["failed"], result["changed"], orders(cluster, database)) == (False, False, 5001)


def test_nothing_is_done_without_the_name_and_the_loss_is_said(run_module, cluster, saved, database):
    result = run_module(pg_restore, {**saved, "confirm": "yes"})
    assert result["failed"]
    assert '"public"."orders" 5012 rows now, 5000 rows in the backup' in result["msg"]
    checked = run_module(pg_restore, saved, check=True)
    assert (checked["changed"], checked["loss"]["tables"][0]["now"]) == (True, 5012)
    assert (orders(cluster, database), databases(cluster, database)) == (5012, {""})


def test_a_database_that_is_gone_comes_back(run_module, cluster, saved, database):
    before = cluster.sql("postgres", SURROUNDINGS, database)
    cluster.sql("postgres", f'DROP DATABASE "{database}" WITH (FORCE)')
    result = run_module(pg_restore, {**saved, "confirm": database})
    assert (result["failed"], orders(cluster, database), result["replaced"]) == (False, 5000, "")
    assert cluster.sql("postgres", SURROUNDINGS, database) == before


def test_a_rehearsal_touches_nothing(run_module, cluster, saved, database):
    result = run_module(pg_restore, {**saved, "rehearse": True})
    assert (result["failed"], result["seconds"] > 0) == (False, True)
    assert (orders(cluster, database), databases(cluster, database)) == (5012, {""})


def test_killed_at_any_step_the_old_or_the_new_is_there_and_the_next_run_goes_on(
    run_module, run_killed, cluster, saved, database
):
    arguments, replaced = {**saved, "confirm": database}, f"{database}_replaced_{BACKUP}"
    seen, step = [], 0
    while True:
        step += 1
        steps = run_killed("pg_restore", arguments, step)
        seen.append(orders(cluster, database))
        assert cluster.sql("postgres", "SELECT datallowconn FROM pg_database WHERE datname = %s", database) == [(True,)]
        result = run_module(pg_restore, arguments)
        assert not result["failed"], (step, result)
        assert (orders(cluster, database), orders(cluster, replaced)) == (5000, 5012)
        assert databases(cluster, database) == {"", f"_replaced_{BACKUP}"}
        if steps is not None:
            break
        cluster.sql("postgres", f'DROP DATABASE "{database}" WITH (FORCE)')
        cluster.sql("postgres", f'ALTER DATABASE "{replaced}" RENAME TO "{database}"')
    assert step == steps + 1
    assert set(seen) == {5000, 5012}


class Client(threading.Thread):
    """Asks the database again and again, keeping its connection as long as that lasts; remembers when it failed."""

    def __init__(self, cluster, database):
        super().__init__(daemon=True)
        self.cluster, self.database = cluster, database
        self.answers, self.failures, self.stopped = [], [], threading.Event()

    def run(self):
        connection = None
        while not self.stopped.wait(0.002):
            connection = self.ask(connection)

    def ask(self, connection):
        """Ask once; the connection for the next time, None when it is lost."""
        try:
            connection = connection or self.cluster.connect(self.database, connect_timeout=5)
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM public.orders")
                self.answers.append((time.monotonic(), cursor.fetchone()[0]))
        except psycopg2.Error:
            self.failures.append(time.monotonic())
            return None
        return connection


def test_clients_are_without_a_database_for_a_moment_only(run_module, cluster, saved, database, capsys):
    clients = [Client(cluster, database) for _number in range(8)]
    for client in clients:
        client.start()
    result = run_module(pg_restore, {**saved, "confirm": database})
    time.sleep(0.5)
    for client in clients:
        client.stopped.set()
    for client in clients:
        client.join()
    assert not result["failed"], result
    gaps = [gap(client.answers) for client in clients]
    failures = sum(len(client.failures) for client in clients)
    with capsys.disabled():
        print(f"\nswap: {1000 * result['outage']:.0f} ms, clients waited {1000 * max(gaps):.0f} ms, {failures} failed")
    assert all([rows for _when, rows in client.answers][-1] == 5000 for client in clients)
    assert all(max(rows for _when, rows in client.answers) == 5012 for client in clients)
    assert max(gaps) < 2


def gap(answers):
    """The seconds between the last answer of the old database and the first of the new one."""
    old = max(when for when, rows in answers if rows == 5012)
    return min(when for when, rows in answers if rows == 5000) - old


def test_a_connection_that_does_not_end_changes_nothing(run_module, cluster, saved, database, monkeypatch):
    monkeypatch.setattr(swap, "TERMINATE", "SELECT %s")
    holding = cluster.connect(database)
    result = run_module(pg_restore, {**saved, "confirm": database})
    assert result["failed"]
    assert "is being accessed by other users" in result["msg"]
    with holding.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders")
        assert cursor.fetchone() == (5012,)
    holding.close()
    assert databases(cluster, database) == {""}


def test_two_at_once_are_one(run_module, cluster, saved, database, login, monkeypatch):
    monkeypatch.setattr(recovery, "ALONE_WAIT", 0)
    holder = server_of({**login, "database": database})
    with recovery.alone(holder, database):
        result = run_module(pg_restore, {**saved, "confirm": database})
    assert "another run is restoring" in result["msg"]
    assert (orders(cluster, database), databases(cluster, database)) == (5012, {""})


@pytest.mark.parametrize("file", ["dump/toc.dat", "globals.sql"])
def test_a_damaged_backup_is_refused_before_anything(run_module, cluster, saved, database, file):
    path = Path(saved["place"], "shop", database, BACKUP, file)
    path.write_bytes(path.read_bytes()[:-10])
    result = run_module(pg_restore, {**saved, "confirm": database})
    assert file in result["error"]["what"]
    assert (orders(cluster, database), databases(cluster, database)) == (5012, {""})


def test_rows_that_are_not_those_of_the_manifest_end_it(run_module, cluster, saved, database):
    path = Path(saved["place"], "shop", database, BACKUP, "manifest.json")
    content = json.loads(path.read_text())
    content["tables"]['"public"."orders"'] = 5001
    path.write_text(json.dumps(content))
    result = run_module(pg_restore, {**saved, "confirm": database})
    assert '"public"."orders" has 5000 instead of 5001' in result["msg"]
    assert (orders(cluster, database), databases(cluster, database)) == (5012, {""})


def test_a_prepared_transaction_is_told_before_anything(run_module, cluster, saved, database, monkeypatch):
    """The test cluster allows none, so that the question is answered for it."""
    real = contents.value

    def told(connection, statement, *rest):
        return 2 if "pg_prepared_xacts" in statement else real(connection, statement, *rest)

    monkeypatch.setattr(recovery.contents, "value", told)
    result = run_module(pg_restore, {**saved, "confirm": database})
    assert "2 prepared transactions" in result["msg"]


def test_there_is_no_such_backup(run_module, saved):
    result = run_module(pg_restore, {**saved, "backup": "other"})
    assert (result["error"]["what"], result["error"]["expected"]) == ("there is no backup other", BACKUP)


def limit_and_comment(cluster, database):
    rows = cluster.sql(
        "postgres",
        "SELECT datconnlimit, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
        database,
    )
    return rows[0]


@pytest.fixture
def application(cluster, saved, database, app_role):
    """Connects as applications do: as a role that is no superuser, by TCP."""
    cluster.sql("postgres", f'GRANT CONNECT ON DATABASE "{database}" TO "app user"')
    return lambda: cluster.connect(database, host="127.0.0.1", user=app_role, password=PASSWORD)


def test_fenced_nobody_writes_while_it_is_restored(run_module, cluster, saved, database, application, monkeypatch):
    real, refused, before = recovery.restore_into, [], limit_and_comment(cluster, database)
    held = application()

    def restore_into(*rest, **more):
        with pytest.raises(psycopg2.OperationalError, match="too many connections for database"):
            application()
        refused.append(held.closed or dead(held))
        return real(*rest, **more)

    monkeypatch.setattr(recovery, "restore_into", restore_into)
    result = run_module(pg_restore, {**saved, "confirm": database, "fence": True})
    assert (result["failed"], refused, orders(cluster, database)) == (False, [True], 5000), result
    application().close()
    assert limit_and_comment(cluster, database) == limit_and_comment(cluster, result["replaced"]) == before


def dead(connection):
    try:
        connection.cursor().execute("SELECT 1")
    except psycopg2.Error:
        return True
    return False


def test_a_fenced_restore_that_fails_opens_it_again(run_module, cluster, saved, database, application, monkeypatch):
    before = limit_and_comment(cluster, database)
    path = Path(saved["place"], "shop", database, BACKUP, "manifest.json")
    path.write_text(path.read_text().replace("5000", "5001"))
    assert run_module(pg_restore, {**saved, "confirm": database, "fence": True})["failed"]
    application().close()
    assert limit_and_comment(cluster, database) == before


def test_a_fence_that_a_killed_run_left_is_taken_away_by_the_next(
    run_module, run_killed, cluster, saved, database, application
):
    before = limit_and_comment(cluster, database)
    for step in itertools.count(3):
        assert run_killed("pg_restore", {**saved, "confirm": database, "fence": True}, step) is None
        if limit_and_comment(cluster, database) != before:
            break
    assert limit_and_comment(cluster, database)[0] == 0
    with pytest.raises(psycopg2.OperationalError, match="too many connections for database"):
        application()
    result = run_module(pg_restore, {**saved, "confirm": database})
    assert not result["failed"], result
    application().close()
    assert limit_and_comment(cluster, database) == limit_and_comment(cluster, result["replaced"]) == before


def test_a_superuser_who_comes_back_stops_a_fenced_restore(run_module, cluster, saved, database, monkeypatch):
    monkeypatch.setattr(closing, "DEADLINE", 0.5)
    monkeypatch.setattr(closing, "TERMINATE", "SELECT %s")
    holding = cluster.connect(database, application_name="stubborn")
    result = run_module(pg_restore, {**saved, "confirm": database, "fence": True})
    holding.close()
    assert "postgres (stubborn)" in result["error"]["what"]
    assert (orders(cluster, database), databases(cluster, database)) == (5012, {""})


def test_a_database_that_cannot_be_counted_is_restored(run_module, cluster, saved, database):
    """A table whose file is gone, as after a failed disk."""
    cluster.sql(database, "CHECKPOINT")
    ((file,),) = cluster.sql(database, "SELECT pg_relation_filepath('orders')")
    cluster.sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", database)
    Path(cluster.host, "data", file).unlink()
    refused = run_module(pg_restore, saved)
    assert "its rows cannot be counted" in refused["error"]["what"]
    result = run_module(pg_restore, {**saved, "confirm": database})
    assert (result["failed"], orders(cluster, database)) == (False, 5000), result


def test_the_files_come_back_with_the_rows(run_module, cluster, saved, database, tmp_path):
    media = tmp_path / "media"
    media.mkdir()
    (media / "größe.png").write_text("then")
    options = {name: value for name, value in saved.items() if name != "backup"}
    assert not run_module(pg_backup, {**options, "deployment": "M1", "media": str(media)})["failed"]
    (media / "größe.png").write_text("now")
    (media / "later.png").touch()
    arguments = {**saved, "backup": "M1", "confirm": database, "media": str(media)}
    result = run_module(pg_restore, arguments)
    assert not result["failed"], result
    assert {path.name: path.read_text() for path in media.iterdir()} == {"größe.png": "then"}
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith("media")} == {"media", "media_replaced_M1"}
    assert run_module(pg_restore, arguments)["changed"] is False
    (tmp_path / "media").rename(tmp_path / "media_restoring_M1")
    assert run_module(pg_restore, arguments)["changed"] is True
    assert (media / "größe.png").read_text() == "then"
    lacking = run_module(pg_restore, {**arguments, "backup": BACKUP, "id": "other"})
    assert "has no archive of files" in lacking["error"]["what"]


@pytest.fixture
def tablespace(cluster):
    """A folder of its own for some databases; PostgreSQL must own it."""
    folder = Path(cluster.host, "elsewhere")
    folder.mkdir()
    if unprivileged():
        os.chown(folder, unprivileged()["user"], unprivileged()["group"])
    cluster.sql("postgres", f"CREATE TABLESPACE elsewhere LOCATION '{folder}'")
    yield "elsewhere"
    for (name,) in cluster.sql("postgres", ELSEWHERE):
        cluster.sql("postgres", f'DROP DATABASE "{name}" WITH (FORCE)')
    cluster.sql("postgres", "DROP TABLESPACE elsewhere")


ELSEWHERE = "SELECT datname FROM pg_database JOIN pg_tablespace t ON t.oid = dattablespace WHERE spcname = 'elsewhere'"


def test_a_database_elsewhere_that_is_read_only_comes_back_as_it_was(run_module, cluster, saved, database, tablespace):
    cluster.sql("postgres", f'ALTER DATABASE "{database}" SET TABLESPACE {tablespace}')
    cluster.sql("postgres", f'ALTER DATABASE "{database}" SET default_transaction_read_only = on')
    cluster.sql("postgres", f"ALTER ROLE reporting IN DATABASE \"{database}\" SET work_mem = '16MB'")
    before = cluster.sql("postgres", SURROUNDINGS, database)
    result = run_module(pg_restore, {**saved, "confirm": database})
    assert not result["failed"], result
    assert cluster.sql("postgres", SURROUNDINGS, database) == before
    assert len(before) == 2


def test_the_database_that_others_are_administered_from_is_refused(run_module, login, tmp_path):
    arguments = {**login, "database": "postgres", "app": "shop", "place": str(tmp_path / "backups")}
    assert not run_module(pg_backup, {**arguments, "deployment": BACKUP})["failed"]
    result = run_module(pg_restore, {**arguments, "confirm": "postgres"})
    assert "cannot be swapped" in result["error"]["what"]
