# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections as users give them, against a real server."""

from __future__ import annotations

import os
import subprocess
from urllib.parse import quote

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import StatementFailed, server_of
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput, NotReady
from ansible_collections.greenlight.deploy.tests.integration.database.conftest import PASSWORD


def test_single_options_reach_the_socket(login, database):
    server = server_of({**login, "database": database})
    with server.connect(application_name="greenlight/test") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_setting('application_name')")
        assert cursor.fetchone() == (database, "greenlight/test")


def test_a_url_with_a_difficult_password_lets_connections_and_programs_in(cluster, database, app_role):
    url = f"postgresql://{quote(app_role, safe='')}:{quote(PASSWORD, safe='')}@127.0.0.1:{cluster.port}/{database}"
    server = server_of({"url": url})
    assert server.version() // 10000 == int(cluster.programs.parent.name)
    environment = {**os.environ, **server.environment()}
    told = subprocess.check_output([server.binary("psql"), "-Atc", "SELECT user"], env=environment, text=True)
    assert told == "app user\n"
    assert PASSWORD not in repr(server)


def test_a_wrong_password_is_not_told(cluster, database, app_role):
    server = server_of({"url": f"postgresql://app%20user:{quote(PASSWORD)}x@127.0.0.1:{cluster.port}/{database}"})
    with pytest.raises(NotReady, match="app user") as refused:
        server.version()
    assert PASSWORD not in str(refused.value)


def test_a_database_that_does_not_exist_is_named(login):
    with pytest.raises(InvalidInput, match="there is no database nowhere"):
        server_of({**login, "database": "nowhere"}).version()


def test_nobody_listens(database):
    with pytest.raises(NotReady, match="check that the server runs"):
        server_of({"login_host": "127.0.0.1", "login_port": 1, "database": database}).version()


def test_a_failed_statement_is_rolled_back_and_says_its_code(cluster, login, database):
    server = server_of({**login, "database": database})
    with pytest.raises(StatementFailed) as failed, server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE half AS SELECT 1; SELECT 1/0")
    assert failed.value.sqlstate == "22012"
    assert cluster.sql(database, "SELECT to_regclass('half')") == [(None,)]
