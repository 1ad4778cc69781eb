# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import catalogue, django_session
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.waiting import Blocker, Terms

HOLDER = Blocker(7, "shop", "", "active", 1.0, 1.0, "SELECT 1")
ADD = 'ALTER TABLE "t" ADD COLUMN "x" int'


class LockNotGiven(Exception):
    sqlstate = "55P03"


class OldDriver(Exception):
    pgcode = "40P01"


def queries(*answers):
    left = list(answers)
    return lambda sql, parameters: [(left.pop(0),)]


def test_one_session_migrates():
    slept = []
    assert django_session.take_lock(queries(True), 60, slept.append)
    assert slept == []


def test_it_waits_for_the_other_one():
    slept = []
    assert django_session.take_lock(queries(False, False, True), 60, slept.append)
    assert sum(slept) == 1.0


def test_it_gives_up_after_the_wait():
    slept = []
    assert not django_session.take_lock(queries(*[False] * 10), 2, slept.append)
    assert sum(slept) == 2.0


def test_a_lock_failure_is_known_by_its_code_and_whoever_wraps_it():
    wrapped = RuntimeError()
    wrapped.__cause__ = OldDriver()
    assert django_session.is_lock_failure(LockNotGiven())
    assert django_session.is_lock_failure(wrapped)
    assert not django_session.is_lock_failure(RuntimeError())


class Connection:
    """Django's connection; remembers what the driver was told beside the statements."""

    def __init__(self, *, in_atomic_block=False):
        self.in_atomic_block = in_atomic_block
        self.told = []
        self.connection = SimpleNamespace(cursor=self.cursor)

    @contextmanager
    def cursor(self):
        yield SimpleNamespace(execute=lambda sql, parameters: self.told.append((sql, parameters)))

    @property
    def limits(self):
        return [parameters for sql, parameters in self.told if "set_config" in sql]


@pytest.fixture
def world(monkeypatch):
    """What the catalogue knows, and what was waited for."""
    seen = SimpleNamespace(slept=[], told=[], holders=[], old=[], invalid=[], there=True)
    monkeypatch.setattr(catalogue, "existing", lambda query, tables: tables if seen.there else [])
    monkeypatch.setattr(catalogue, "holders", lambda query, locks, own: list(seen.holders))
    monkeypatch.setattr(catalogue, "transactions", lambda query, older, own: list(seen.old))
    monkeypatch.setattr(catalogue, "invalid_indexes", lambda query, plain: seen.invalid)
    monkeypatch.setattr(catalogue, "table_of", lambda query, index: "public.t")
    return seen


def session(world, connection=None, **terms):
    def tell(kind, **content):
        world.told.append((kind, content))

    return django_session.Session(
        connection or Connection(), lambda sql, parameters: [(1,)], Terms(**terms), tell, world.slept.append
    )


def failing(*outcomes):
    """What runs a statement: fails with each of ``outcomes``, then goes well."""
    left, asked = list(outcomes), []

    def execute(sql, params, many, context):
        asked.append(sql)
        if left:
            raise left.pop(0)
        return "done"

    execute.asked = asked
    return execute


def test_a_lock_that_is_not_given_is_asked_for_again(world):
    execute = failing(LockNotGiven(), OldDriver())
    assert session(world)(execute, ADD, None, False, {}) == "done"
    assert (world.slept, len(execute.asked)) == ([3.0, 6.0], 3)
    assert [content["seconds"] for _kind, content in world.told] == [3.0, 6.0]


def test_after_the_last_try_the_blocker_is_named(world, monkeypatch):
    holders = iter([[], [HOLDER], [], [HOLDER]])
    monkeypatch.setattr(catalogue, "holders", lambda query, locks, own: next(holders))
    with pytest.raises(NotReady, match=r"in 2 tries. In the way: pid 7"):
        session(world, tries=2)(failing(*[LockNotGiven()] * 5), ADD, None, False, {})
    assert world.slept == [3.0]


def test_inside_a_transaction_the_whole_of_it_is_tried_again(world):
    """The statement alone cannot be: its transaction has failed."""
    with pytest.raises(LockNotGiven):
        session(world, Connection(in_atomic_block=True))(failing(LockNotGiven()), ADD, None, False, {})
    assert world.slept == []


def test_another_failure_is_not_tried_again(world):
    with pytest.raises(ValueError, match="no good"):
        session(world)(failing(ValueError("no good")), ADD, None, False, {})
    assert world.slept == []


def test_a_statement_is_not_sent_behind_an_old_transaction(world):
    world.holders = [Blocker(7, "shop", "", "active", 61.0, 1.0, "SELECT 1")]
    execute = failing()
    with pytest.raises(NotReady, match="pid 7"):
        session(world, tries=1)(execute, ADD, None, False, {})
    assert execute.asked == []


@pytest.mark.parametrize(
    ("sql", "there", "limits"),
    [
        (ADD, True, [("lock_timeout", "2000ms"), ("statement_timeout", "7000ms")]),
        (ADD, False, []),
        ("CREATE INDEX i ON t (x)", True, []),
        ("CREATE INDEX CONCURRENTLY i ON t (x)", True, [("lock_timeout", "300000ms"), ("statement_timeout", "0ms")]),
        ("DROP INDEX i", True, [("lock_timeout", "2000ms"), ("statement_timeout", "7000ms")]),
    ],
)
def test_each_kind_of_statement_has_its_limits(world, sql, there, limits):
    world.there = there
    connection = Connection()
    session(world, connection)(failing(), sql, None, False, {})
    usual = [("lock_timeout", "2000ms"), ("statement_timeout", "900000ms")]
    assert connection.limits == [(*limit, False) for limit in (limits + usual if limits else [])]


def test_inside_a_transaction_limits_are_of_the_transaction(world):
    connection = Connection(in_atomic_block=True)
    session(world, connection)(failing(), ADD, None, False, {})
    assert {local for _name, _value, local in connection.limits} == {True}


def test_the_usual_limits_come_back_after_a_failure(world):
    connection = Connection()
    with pytest.raises(ValueError, match="no good"):
        session(world, connection)(failing(ValueError("no good")), ADD, None, False, {})
    assert connection.limits[-1] == ("statement_timeout", "900000ms", False)


def test_a_leftover_is_dropped_before_the_index_is_built(world):
    world.invalid = ["i"]
    connection = Connection()
    session(world, connection)(failing(), "CREATE INDEX CONCURRENTLY i ON t (x)", None, False, {})
    assert 'DROP INDEX CONCURRENTLY "i"' in [sql for sql, _parameters in connection.told]


def test_a_leftover_that_is_dropped_itself_is_left_to_that(world):
    world.invalid = ["i"]
    connection = Connection()
    session(world, connection)(failing(), "DROP INDEX CONCURRENTLY i", None, False, {})
    assert not [sql for sql, _parameters in connection.told if "DROP" in sql]


def test_a_row_that_is_locked_is_asked_for_again_too(world):
    execute = failing(LockNotGiven())
    world.old = [HOLDER]
    assert session(world)(execute, "UPDATE t SET x = 1", None, False, {}) == "done"
    assert world.slept == [3.0]
    assert "pid 7" in world.told[0][1]["blockers"][0]


def test_other_statements_are_not_looked_at(world):
    connection = Connection()
    for sql in ("INSERT INTO t VALUES (%s)", object()):
        assert session(world, connection)(failing(), sql, None, False, {}) == "done"
    assert connection.told == []
