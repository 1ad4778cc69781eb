# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database import postgres
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import fitting, server_of, take_server
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

CANARY = "p'a\"s s%41$é"


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """Say which major versions are installed."""
    monkeypatch.setattr(postgres, "PROGRAMS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(*majors):
        for major in majors:
            (tmp_path / str(major) / "bin").mkdir(parents=True)
            (tmp_path / str(major) / "bin" / "pg_dump").touch()

    return install


@pytest.mark.parametrize(
    ("majors", "server", "chosen"), [([15], 15, 15), ([13, 15, 17], 15, 15), ([9, 16, 17], 15, 16), ([15, 17], 10, 15)]
)
def test_the_version_of_the_server_or_the_next_newer_one(installed, majors, server, chosen):
    installed(*majors)
    assert fitting("pg_dump", server).split("/")[-3] == str(chosen)


@pytest.mark.parametrize(("majors", "found"), [([], "none"), ([13, 14], "13, 14")])
def test_an_older_one_is_refused(installed, majors, found):
    installed(*majors)
    with pytest.raises(InvalidInput, match=f"found {found}") as refused:
        fitting("pg_dump", 15)
    assert refused.value.do == "install postgresql-client-15"


def test_programs_get_what_they_need_and_nothing_that_is_empty():
    server = server_of({"database": "shop", "login_password": CANARY, "login_port": 5433})
    assert server.environment("other") == {
        "PGPORT": "5433",
        "PGUSER": "postgres",
        "PGPASSWORD": CANARY,
        "PGDATABASE": "other",
        "PGSSLMODE": "prefer",
        "PGCONNECT_TIMEOUT": "5",
    }
    assert CANARY not in repr(server)


@pytest.mark.parametrize(("password", "hidden"), [(CANARY, True), ("abc", False)])
def test_the_decoded_password_is_kept_out_of_answers(password, hidden):
    module = SimpleNamespace(params={"database": "shop", "login_password": password}, no_log_values={password})
    take_server(module)
    assert module.no_log_values == ({password} if hidden else set())


def test_without_psycopg2_that_is_said(monkeypatch):
    monkeypatch.setattr(postgres, "psycopg2", None)
    with pytest.raises(InvalidInput, match="install python3-psycopg2"):
        server_of({"database": "shop"}).version()
