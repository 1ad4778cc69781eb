# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A PostgreSQL server: connections to it and the programs that fit it. The one place that imports psycopg2."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run
from ansible_collections.greenlight.deploy.plugins.module_utils.build.output import SHORTEST_SECRET, redact
from ansible_collections.greenlight.deploy.plugins.module_utils.database.address import SSL_MODES, address_of
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput, NotReady

try:
    import psycopg2
except ImportError:
    psycopg2 = None

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

ARGUMENTS: dict[str, Any] = {
    "database": {"type": "str"},
    "url": {"type": "str", "no_log": True},
    "login_host": {"type": "str", "default": ""},
    "login_port": {"type": "int"},
    "login_user": {"type": "str"},
    "login_password": {"type": "str", "no_log": True},
    "ssl_mode": {"type": "str", "choices": list(SSL_MODES)},
    "ca_cert": {"type": "path"},
    "connect_timeout": {"type": "int", "default": 5},
}
PROGRAMS = Path("/usr/lib/postgresql")
"""Where Debian and Ubuntu keep the programs of each major version."""

Error: type[Exception] = psycopg2.Error if psycopg2 else Exception
"""What a statement raises inside ``with server.connect()``; it has ``pgcode``, the SQLSTATE."""


class StatementFailed(GreenlightError):
    """The server refused a statement or went away. ``sqlstate`` is its code, empty when it could not say one."""

    def __init__(self, what: str, *, sqlstate: str = "", where: str = "", do: str = "") -> None:
        self.sqlstate = sqlstate
        super().__init__(what, where=where, do=do)


@dataclass(frozen=True)
class Server:
    """A server and the role to log in as; ``database`` is the one that the module is about."""

    database: str
    host: str = ""
    port: int = 5432
    user: str = "postgres"
    password: str = field(default="", repr=False)
    ssl_mode: str = "prefer"
    ca_cert: str = ""
    connect_timeout: int = 5

    @property
    def where(self) -> str:
        """The server for messages, such as ``db1:5432``."""
        return f"{self.host or 'local socket'}:{self.port}"

    @contextmanager
    def connect(
        self, database: str | None = None, *, application_name: str = "greenlight", autocommit: bool = False
    ) -> Iterator[Any]:
        """A connection of psycopg2 to ``database`` (the module's own by default).

        Committed when the block ends well, rolled back otherwise, and closed. Raises :class:`NotReady` when nobody
        answers or lets us in, :class:`InvalidInput` when there is no such database or no psycopg2, and
        :class:`StatementFailed` for a statement inside the block that failed.
        """
        name = self.database if database is None else database
        connection = self._open(name, application_name)
        try:
            connection.autocommit = autocommit
            yield connection
            if not autocommit:
                connection.commit()
        except Error as error:
            raise self._refused(error, name) from error
        finally:
            connection.close()

    def environment(self, database: str | None = None) -> dict[str, str]:
        """The variables by which libpq's programs find ``database``; the password stands in no argument list."""
        variables = {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database if database is None else database,
            "PGSSLMODE": self.ssl_mode,
            "PGSSLROOTCERT": self.ca_cert,
            "PGCONNECT_TIMEOUT": str(self.connect_timeout),
        }
        return {name: value for name, value in variables.items() if value}

    def version(self, database: str | None = None) -> int:
        """The server's version as a number, such as 150018 for 15.18; asked in the module's database by default."""
        with self.connect(database) as connection:
            return int(connection.server_version)

    def binary(self, name: str) -> str:
        """The path of the program ``name`` of the server's own major version, else of the next newer one.

        A newer pg_restore writes settings that an older server does not know, an older pg_dump refuses a newer
        server. :class:`InvalidInput` when there is none that fits.
        """
        return fitting(name, self.version() // 10000)

    def _open(self, database: str, application_name: str) -> Any:
        if psycopg2 is None:
            raise InvalidInput(
                "psycopg2 is not installed for the Python that Ansible uses here",
                where="psycopg2",
                do="install python3-psycopg2 on this host",
            )
        words: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "dbname": database,
            "sslmode": self.ssl_mode,
            "sslrootcert": self.ca_cert,
            "connect_timeout": self.connect_timeout,
            "application_name": application_name,
        }
        try:
            return psycopg2.connect(**{word: value for word, value in words.items() if value})
        except psycopg2.Error as error:
            raise self._unreachable(error, database) from None

    def _unreachable(self, error: Exception, database: str) -> GreenlightError:
        text = self._said(error)
        if f'database "{database}" does not exist' in text:
            return InvalidInput(f"there is no database {database}", where=self.where, do="check its name")
        return NotReady(
            f"no connection to database {database} as {self.user}: {text}",
            where=self.where,
            do="check that the server runs and lets this role in from here",
        )

    def _refused(self, error: Exception, database: str) -> StatementFailed:
        sqlstate = getattr(error, "pgcode", None) or ""
        return StatementFailed(self._said(error), sqlstate=sqlstate, where=f"{self.where}, database {database}")

    def _said(self, error: Exception) -> str:
        return redact(" ".join(str(error).split()), [self.password])


def server_of(params: Mapping[str, Any]) -> Server:
    """The server that a module's options name; :class:`InvalidInput` when they do not name one."""
    return Server(**address_of(params), connect_timeout=params.get("connect_timeout") or 5)


def take_server(module: AnsibleModule) -> Server:
    """The server that a module's options name; the password is kept out of everything that the module answers.

    A password of a few characters is left alone, as in :func:`~.secrecy.take_secrets`.
    """
    server = server_of(module.params)
    module.no_log_values |= {server.password}
    module.no_log_values -= {value for value in module.no_log_values if len(value) < SHORTEST_SECRET}
    return server


def fitting(name: str, major: int) -> str:
    """The path of program ``name`` of PostgreSQL ``major``, else of the next newer version that this host has."""
    there = sorted((int(path.parts[-3]), str(path)) for path in PROGRAMS.glob(f"[0-9]*/bin/{name}"))
    elsewhere = shutil.which(name) if not there else None
    if elsewhere and not os.path.realpath(elsewhere).endswith("pg_wrapper"):
        there = [(_major(elsewhere), elsewhere)]
    for version, path in there:
        if version >= major:
            return path
    found = ", ".join(str(version) for version, _path in there) or "none"
    raise InvalidInput(
        f"no {name} of PostgreSQL {major} or newer is installed here",
        where=name,
        expected=f"a program not older than the server, found {found}",
        do=f"install postgresql-client-{major}",
    )


def _major(program: str) -> int:
    """The major version that ``program`` says of itself."""
    match = re.search(r"\(PostgreSQL\) (\d+)", run([program, "--version"], Context(Path("/"))))
    return int(match[1]) if match else 0
