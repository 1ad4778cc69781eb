# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the tests of the truth table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.greenlight.deploy.plugins.modules import pg_index_verify
from ansible_collections.greenlight.deploy.tests.integration.database.verifying import Answer, quoted


@pytest.fixture
def verify(run_module: Any, login: dict[str, Any], database: str) -> Callable[..., Answer]:
    """``verify(indexes=..., check=...)``: the module's answer for the test's database."""

    def call(*, check: bool = False, **options: Any) -> Answer:
        return run_module(pg_index_verify, {**login, "database": database, **options}, check=check)

    return call


@pytest.fixture
def sql(cluster: Any, database: str) -> Callable[..., list[tuple[Any, ...]]]:
    """``sql(statement, *parameters)`` in the test's database."""
    return lambda statement, *parameters: cluster.sql(database, statement, *parameters)


@pytest.fixture
def reader(cluster: Any, database: str, login: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The options of a role that may only read, with a password that is hard to keep quiet about."""
    password = 'cän\'ary "%s" $HOME 7 %'
    cluster.sql(database, f"DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD {quoted(password)}")
    cluster.sql(database, f'GRANT CONNECT ON DATABASE "{database}" TO reader')
    yield {**login, "login_host": "127.0.0.1", "login_user": "reader", "login_password": password}
    cluster.sql(database, "DROP OWNED BY reader; DROP ROLE reader")
