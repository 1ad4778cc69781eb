# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Migrations that are blocked, fail or are killed, on a real PostgreSQL, which is asked afterwards."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager

import psycopg2
import pytest

from ansible_collections.greenlight.deploy.tests.integration.database.migrations.project import (
    FIRST,
    ITEM,
    LOG,
    NOTE,
    SECOND,
    THIRD,
    add_field,
)

INDEX = 'AddIndexConcurrently("item", models.Index(fields=["name"], name="item_name"))'
FAIL = "migrations.RunPython(fail, migrations.RunPython.noop)"
KILL_LATER = "migrations.RunPython(kill_later, migrations.RunPython.noop)"
PAUSE = 3.0
KILL = "migrations.RunPython(kill, migrations.RunPython.noop)"


@pytest.fixture
def first(shop):
    """The first migration is applied, there are two rows, and the second release adds a column."""
    shop.release("r1", m0001_item=ITEM)
    assert not shop.migrate("r1", deployment="d1")["failed"]
    shop.sql("INSERT INTO shop_item (name) VALUES ('a'), ('b')")
    shop.release("r2", m0001_item=ITEM, m0002_note=NOTE)
    return shop


@pytest.fixture
def client(first):
    """A client of the application in the middle of a transaction: it has read and written."""
    with closing(first.cluster.connect(first.database, user=first.role, application_name="worker-7")) as connection:
        connection.autocommit = False
        connection.cursor().execute("INSERT INTO shop_item (name) VALUES ('c')")
        yield connection


@contextmanager
def leaving(shop, client, *, stays=0.0):
    """The client ends its transaction in the pause after the first try for a lock, or during it."""

    def leave():
        with closing(shop.cluster.connect(shop.database)) as watch, watch.cursor() as cursor:
            until(cursor, "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted")
            if not stays:
                until(cursor, "SELECT count(*) = 0 FROM pg_locks WHERE NOT granted")
        threading.Event().wait(stays or PAUSE / 2)
        client.rollback()

    thread = threading.Thread(target=leave, daemon=True)
    thread.start()
    yield
    thread.join(10)


def until(cursor, question):
    """Ask until the answer is yes."""
    answer = False
    while not answer:
        cursor.execute(question)
        (answer,) = cursor.fetchone()


def invalid(shop):
    return shop.sql("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")


def concurrent(shop, operations=INDEX):
    return shop.release("r3", m0001_item=ITEM, m0002_note={"operations": operations, "atomic": False})


def test_a_lock_held_by_an_idle_transaction_is_asked_for_again_and_then_named(first, client):
    before = first.everything()
    answer = first.migrate("r2", deployment="d2", tries=2)
    assert answer["failed"]
    assert "the lock was not given in 2 tries. In the way: pid" in answer["msg"]
    pid = client.get_backend_pid()
    assert f"pid {pid} ({first.role}, worker-7) idle in transaction for" in answer["msg"]
    assert f"pg_terminate_backend({pid})" in answer["msg"]
    assert "with shop_item: INSERT INTO shop_item" in answer["msg"]
    assert first.everything() == before


def test_nobody_queues_behind_an_old_transaction(first, client):
    """The statement is not even sent: with a lock timeout of a minute it would take one."""
    answer = first.migrate("r2", idle_transaction=0.0, lock_timeout=60.0, timeout=20.0)
    assert answer["failed"]
    assert "worker-7" in answer["msg"]
    assert first.recorded() == [FIRST]


def test_a_session_of_another_role_is_named_as_far_as_it_can_be_seen(first):
    with closing(first.cluster.connect(first.database, application_name="psql")) as other:
        other.autocommit = False
        other.cursor().execute("SELECT * FROM shop_item")
        answer = first.migrate("r2")
    assert "(postgres, psql) in transaction of unknown age with shop_item: query not visible" in answer["msg"]


def test_a_lock_that_is_given_later_is_enough(first, client):
    with leaving(first, client):
        answer = first.migrate("r2", tries=3)
    assert not answer["failed"], answer["msg"]
    assert [wait["seconds"] for wait in answer["waits"]] == [PAUSE]
    assert "worker-7" in answer["waits"][0]["blockers"][0]
    assert first.recorded() == [FIRST, SECOND]


def test_one_statement_of_a_migration_that_is_not_atomic_is_asked_for_again(first, client):
    """What came before it in the migration is not done twice."""
    first.sql("CREATE TABLE done (id int)")
    once = 'migrations.RunSQL("INSERT INTO done VALUES (1)")'
    first.sql(f'ALTER TABLE done OWNER TO "{first.role}"')
    with leaving(first, client):
        answer = first.migrate(concurrent(first, f"{once}, {add_field('x')}"), tries=3)
    assert not answer["failed"], answer["msg"]
    assert len(answer["waits"]) == 1
    assert first.sql("SELECT count(*) FROM done") == [(1,)]


def test_two_deployers_at_once(first):
    with closing(first.cluster.connect(first.database)) as other:
        other.cursor().execute("SELECT pg_advisory_lock(hashtextextended('greenlight:migrate', 0))")
        before = first.everything()
        answer = first.migrate("r2")
        assert answer["failed"]
        assert "another deployment has been migrating for 1 s" in answer["msg"]
        assert first.everything() == before
        threading.Timer(1.0, other.close).start()
        assert first.migrate("r2", lock_wait=20.0)["changed"]


def test_a_deployer_that_was_killed_keeps_others_out_until_its_statement_has_ended(first):
    """The session whose statement runs on without its process is the one that has the lock."""
    slow = f'{KILL_LATER}, migrations.RunSQL("SELECT pg_sleep(60)")'
    first.release("r3", m0001_item=ITEM, m0002_note=f"{slow}, {NOTE}")
    has_it = """
        SELECT count(*) = 1 FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND state = 'active' AND query = 'SELECT pg_sleep(60)'
    """
    with closing(first.cluster.connect(first.database)) as watch, watch.cursor() as cursor:
        thread = threading.Thread(target=until, args=(cursor, has_it), daemon=True)
        thread.start()
        assert first.migrate("r3")["failed"]
        thread.join(5)
        assert not thread.is_alive()
    answer = first.migrate("r2", lock_wait=30.0)
    assert not answer["failed"], answer["msg"]
    assert first.recorded() == [FIRST, SECOND]


def test_an_atomic_migration_that_fails_half_way_through_the_list(first):
    first.release("r3", m0001_item=ITEM, m0002_note=NOTE, m0003_log=f"{add_field('x')}, {FAIL}", m0004_more=LOG)
    answer = first.migrate("r3", deployment="d2")
    assert answer["failed"]
    assert THIRD in answer["msg"]
    assert "ValueError: no good" in answer["msg"]
    assert "It changed nothing." in answer["msg"]
    assert first.recorded() == [FIRST, SECOND]
    assert first.columns() == ["id", "name", "note"]
    assert first.ledger() == [("d1", FIRST, True, False), ("d2", SECOND, True, False)]
    assert first.reverse("r3", "d2")["changed"]
    assert first.columns() == ["id", "name"]


@pytest.fixture
def half(first):
    """A migration that is not atomic failed after its first statement."""
    operations = f"{add_field('x')}, {FAIL}"
    first.release("r2", m0001_item=ITEM, m0002_note={"operations": operations, "atomic": False})
    answer = first.migrate("r2", deployment="d2")
    assert answer["failed"]
    assert "It left + column public.shop_item.x integer" in answer["msg"]
    assert "take back by hand what it left" in answer["msg"]
    return first


def test_a_migration_that_was_left_half_way_is_not_gone_over(half):
    before = half.everything()
    answer = half.migrate("r2", deployment="d3")
    assert answer["failed"]
    assert f"{SECOND} (begun " in answer["msg"]
    assert "by d2) did not end" in answer["msg"]
    assert half.everything() == before
    assert half.ledger()[-1] == ("d2", SECOND, False, False)


def test_what_was_taken_back_by_hand_is_forgotten(half):
    half.sql("ALTER TABLE shop_item DROP COLUMN x")
    half.release("r2", m0001_item=ITEM, m0002_note=NOTE)
    answer = half.migrate("r2", deployment="d3")
    assert not answer["failed"], answer["msg"]
    assert half.ledger() == [("d1", FIRST, True, False), ("d3", SECOND, True, False)]


def test_what_was_finished_by_hand_is_written_down(half):
    half.sql("INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0002_note', now())")
    answer = half.migrate("r2", deployment="d3")
    assert (answer["failed"], answer["recovered"]) == (False, [SECOND])
    assert half.ledger()[-1] == ("d2", SECOND, True, False)


def test_what_can_simply_be_run_again_is(half):
    again = 'migrations.RunSQL("ALTER TABLE shop_item ADD COLUMN IF NOT EXISTS x integer")'
    half.release("r2", m0001_item=ITEM, m0002_note={"operations": again, "atomic": False})
    assert half.migrate("r2", deployment="d3", unfinished="retry")["changed"]
    assert half.ledger()[-1] == ("d3", SECOND, True, False)


def test_killed_inside_an_atomic_migration(first):
    first.release("r3", m0001_item=ITEM, m0002_note=f"{NOTE}, {KILL}")
    assert first.migrate("r3", deployment="d2")["failed"]
    assert first.columns() == ["id", "name"]
    assert first.ledger()[-1] == ("d2", SECOND, False, False)
    answer = first.migrate("r2", deployment="d3")
    assert not answer["failed"], answer["msg"]
    assert first.ledger() == [("d1", FIRST, True, False), ("d3", SECOND, True, False)]


def test_killed_between_a_migration_and_its_row(first):
    """The second migration is committed; the process dies in a handler before its row says so."""
    release = first.folder / "shop/releases/r3"
    first.release("r3", m0001_item=ITEM, m0002_note=NOTE)
    handler = "from django.db.models.signals import post_migrate\npost_migrate.connect(kill, weak=False)\n"
    path = release / "shop/migrations/0002_note.py"
    path.write_text(path.read_text().replace("(apps, editor)", "(*args, **named)") + handler)
    assert first.migrate("r3", deployment="d2")["failed"]
    assert first.recorded() == [FIRST, SECOND]
    assert first.ledger()[-1] == ("d2", SECOND, False, False)
    answer = first.migrate("r2", deployment="d3")
    assert not answer["failed"], answer["msg"]
    assert (answer["recovered"], answer["applied"]) == ([SECOND], [])
    assert first.ledger("deployment, migration, applied_at IS NOT NULL, recovered")[-1] == ("d2", SECOND, True, True)
    assert first.reverse("r2", "d2")["changed"]
    assert first.recorded() == [FIRST]


def test_killed_while_undoing(first):
    """It is undone in the database; the ledger learns of it in the next run."""
    first.migrate("r2", deployment="d2")
    undo = "migrations.RunPython(migrations.RunPython.noop, kill)"
    first.release("r2", m0001_item=ITEM, m0002_note=f"{undo}, {NOTE}")
    assert first.reverse("r2", "d2")["failed"]
    assert first.columns() == ["id", "name", "note"]
    first.release("r2", m0001_item=ITEM, m0002_note=NOTE)
    assert first.reverse("r2", "d2")["changed"]
    assert first.columns() == ["id", "name"]
    assert first.ledger()[-1] == ("d2", SECOND, True, True)


def cancelled_build(shop):
    """An index as a cancelled concurrent build leaves it: its name is taken and nobody uses it."""
    with closing(shop.cluster.connect(shop.database)) as connection, connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 300")
        with pytest.raises(psycopg2.errors.QueryCanceled):
            cursor.execute("CREATE INDEX CONCURRENTLY item_name ON shop_item (name)")
    assert invalid(shop) == [("item_name",)]


@pytest.mark.parametrize(
    "operations",
    [INDEX, "migrations.RunSQL('CREATE INDEX CONCURRENTLY IF NOT EXISTS item_name ON shop_item (name)')"],
)
def test_an_invalid_index_of_a_cancelled_build_is_built_anew(first, client, operations):
    cancelled_build(first)
    client.rollback()
    answer = first.migrate(concurrent(first, operations))
    assert not answer["failed"], answer["msg"]
    assert invalid(first) == []
    assert first.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'item_name'::regclass") == [(True,)]


def test_an_invalid_index_that_nobody_builds_anew_is_named(first, client):
    cancelled_build(first)
    client.rollback()
    answer = first.migrate("r2")
    assert answer["failed"]
    assert "indexes are not valid: item_name" in answer["msg"]
    assert first.recorded() == [FIRST, SECOND]


def test_a_concurrent_build_drops_its_own_leftover_before_it_tries_again(first, client):
    with leaving(first, client):
        answer = first.migrate(concurrent(first), tries=3, concurrent_lock_timeout=0.5)
    assert not answer["failed"], answer["msg"]
    assert len(answer["waits"]) == 1
    assert invalid(first) == []


def test_a_concurrent_build_does_not_begin_behind_an_old_transaction(first, client):
    answer = first.migrate(concurrent(first), old_transaction=0.0)
    assert answer["failed"]
    assert "worker-7" in answer["msg"]
    assert first.sql("SELECT to_regclass('item_name')") == [(None,)]


def test_a_concurrent_build_is_not_bound_by_the_time_of_other_statements(first, client):
    """The build waits for the client for longer than any other statement may take, and goes on then."""
    with leaving(first, client, stays=1.5):
        answer = first.migrate(concurrent(first), statement_timeout=1.0)
    assert (answer["failed"], answer.get("waits")) == (False, [])
    assert invalid(first) == []


def test_a_statement_that_locks_out_readers_for_too_long_is_ended(first):
    first.sql("INSERT INTO shop_item (name) SELECT 'x' FROM generate_series(1, 50000)")
    slow = "ALTER TABLE shop_item ALTER COLUMN name TYPE text USING name || pg_sleep(0.0001)::text"
    first.release("r3", m0001_item=ITEM, m0002_note=f"migrations.RunSQL({slow!r})")
    answer = first.migrate("r3", exclusive_timeout=0.5)
    assert answer["failed"]
    assert "canceling statement due to statement timeout" in answer["msg"]
    assert first.recorded() == [FIRST]


def test_a_wrong_password_is_not_shown(first):
    first.cluster.sql("postgres", f"ALTER ROLE \"{first.role}\" PASSWORD 'another'")
    answer = first.migrate("r2")
    assert answer["failed"]
    assert "password authentication failed" in answer["msg"]
