# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real PostgreSQL of our own: a throw-away cluster for the session, a fresh database for each test."""

from __future__ import annotations

import itertools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from ansible.module_utils import _internal
from ansible.module_utils.testing import patch_module_args

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
SETTINGS = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "60",
    "listen_addresses": "127.0.0.1", "shared_buffers": "32MB", "logging_collector": "off",
}  # fmt: skip
PASSWORD = "p'a\"s s%41$(id)\\ ünï-日本"
"""With every character that was ever quoted wrongly."""

DEPENDING = """
SELECT DISTINCT datname FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid
  OR (s.classid = 'pg_database'::regclass AND d.oid = s.objid)
WHERE s.refobjid = '"app user"'::regrole AND datname <> 'postgres'
"""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL: who is local is trusted (socket in ``host``), who comes by TCP has a password."""

    host: str
    port: int
    programs: Path
    superuser: str = "postgres"

    @property
    def log(self) -> Path:
        return Path(self.host) / "log"

    def connect(self, database: str, **words: Any) -> Any:
        """A connection of psycopg2 that commits each statement."""
        default = {"host": self.host, "port": self.port, "user": self.superuser, "dbname": database}
        connection = psycopg2.connect(**{**default, **words})
        connection.autocommit = True
        return connection

    def sql(self, database: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of ``statement``, none when it has no result."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """PostgreSQL refuses to run as root, so that root starts it as somebody else."""
    if not PROGRAMS:
        pytest.skip("PostgreSQL's server is not installed")
    top = Path(tempfile.mkdtemp(prefix="gl-pg-", dir="/tmp"))
    top.chmod(0o755)
    account = unprivileged()
    if account:
        os.chown(top, account["user"], account["group"])
    made = Cluster(str(top), free_port(), PROGRAMS[-1])

    def program(name: str, *words: object) -> None:
        argv = [str(made.programs / name), "-D", str(top / "data"), *map(str, words)]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(top)}
        subprocess.run(argv, check=True, env=environment, cwd=top, stdout=subprocess.DEVNULL, **account)

    program(
        "initdb", "-U", made.superuser, "--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "-E", "UTF8"
    )
    settings = {**SETTINGS, "port": made.port, "unix_socket_directories": top}
    words = " ".join(f"-c {name}={value}" for name, value in settings.items())
    program("pg_ctl", "-w", "-l", made.log, "-o", words, "start")
    try:
        yield made
    finally:
        program("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(top)


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    """The name of a fresh empty database; whatever has its name or one made from it is dropped afterwards."""
    name = f"shop{next(_numbers)}"
    cluster.sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield name
    left = cluster.sql("postgres", "SELECT datname FROM pg_database WHERE datname ~ %s", f"^{name}(_|$)")
    for (each,) in left:
        cluster.sql("postgres", f'ALTER DATABASE "{each}" IS_TEMPLATE false')
        cluster.sql("postgres", f'DROP DATABASE "{each}" WITH (FORCE)')


@pytest.fixture
def login(cluster: Cluster) -> dict[str, Any]:
    """The options by which a module reaches the cluster as its superuser."""
    return {"login_host": cluster.host, "login_port": cluster.port, "login_user": cluster.superuser}


@pytest.fixture
def app_role(cluster: Cluster) -> Iterator[str]:
    """A role that logs in by TCP with PASSWORD; the databases that know of it are dropped with it."""
    cluster.sql("postgres", 'CREATE ROLE "app user" LOGIN PASSWORD %s', PASSWORD)
    yield "app user"
    for (name,) in cluster.sql("postgres", DEPENDING):
        cluster.sql("postgres", f'DROP DATABASE "{name}" WITH (FORCE)')
    cluster.sql("postgres", 'DROP ROLE "app user"')


@pytest.fixture
def run_module(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call ``run_module(module, arguments, check=, diff=)``: runs ``main()`` here; its answer, with ``failed``."""
    monkeypatch.setattr(_internal, "is_controller", False)

    def run(module: Any, arguments: dict[str, Any], *, check: bool = False, diff: bool = False) -> dict[str, Any]:
        internal = {
            "_ansible_check_mode": check,
            "_ansible_diff": diff,
            "_ansible_remote_tmp": str(tmp_path),
            "_ansible_keep_remote_files": False,
        }
        capsys.readouterr()
        with patch_module_args({**arguments, **internal}), pytest.raises(SystemExit) as stop:
            module.main()
        return {"failed": stop.value.code not in (None, 0), **json.loads(capsys.readouterr().out)}

    return run


def unprivileged() -> dict[str, Any]:
    """Who the server runs as, for subprocess; nothing when we are unprivileged ourselves."""
    if os.geteuid():
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def run_killed() -> Any:
    """Call ``run_killed(name, arguments, n)``: runs a module and kills it after its n-th step.

    Returns the steps of a run that ended because it had no n-th one, None of one that was killed.
    """

    def run(name: str, arguments: dict[str, Any], number: int) -> int | None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("killed.py")), name, str(number)],
            input=json.dumps({**arguments, "_ansible_remote_tmp": "/tmp", "_ansible_keep_remote_files": False}),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == -signal.SIGKILL:
            return None
        assert done.returncode == 0, done.stdout + done.stderr
        return int(done.stderr.splitlines()[-1])

    return run
