# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Metrics of the user's own, measured from the controller: programs, Prometheus, SQL."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ansible.module_utils.urls import open_url

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.further import (
    NotMeasured,
    Spec,
    fill,
    judged,
    not_measured,
    number_in,
    number_of_prometheus,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Metric

TIMEOUT = 10.0
#: Measured on application hosts by the module journal_metric, not by the gate.
ELSEWHERE = "journal"
_PARAMETERS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "application_name": "PGAPPNAME"}


class Measurer:
    """Measures ``specs``, entries of ``greenlight_gate.metrics``.

    ``names`` are filled into commands and queries, ``secrets`` hold the addresses of databases, and ``on_proxy`` runs
    a command there and returns what it printed.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        names: Mapping[str, str],
        secrets: Mapping[str, str],
        on_proxy: Callable[[Sequence[str]], str],
    ) -> None:
        self._specs = [spec for spec in specs if spec["kind"] != ELSEWHERE]
        self._names = names
        self._secrets = secrets
        self._on_proxy = on_proxy

    def measure(self) -> list[Metric]:
        """All metrics, side by side; one that could not be measured is UNKNOWN."""
        if not self._specs:
            return []
        with ThreadPoolExecutor(len(self._specs)) as pool:
            return list(pool.map(self._one, self._specs))

    def _one(self, spec: Spec) -> Metric:
        try:
            return judged(spec, self._value(spec))
        except GreenlightError as error:
            return not_measured(spec, error)

    def _value(self, spec: Spec) -> float:
        if spec["kind"] == "prometheus":
            return ask_prometheus(spec["url"], fill(spec["query"], self._names))
        if spec["kind"] == "sql":
            name = spec.get("dsn_variable") or "DATABASE_URL"
            if name not in self._secrets:
                raise NotMeasured(f"there is no {name}", where="greenlight_secrets", expected="the database's address")
            return ask_database(self._secrets[name], fill(spec["query"], self._names))
        argv = [fill(word, self._names) for word in spec["command"]]
        said = self._on_proxy(argv) if spec.get("where") == "proxy" else run_here(argv)
        return number_in(said, argv[0])


def run_here(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What a program on the controller prints."""
    try:
        done = subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
            env={**os.environ, **environment} if environment else None,
        )
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"{argv[0]} did not end within {TIMEOUT:.0f} s") from None
    except OSError as error:
        raise NotMeasured(f"{argv[0]} cannot be run on the controller ({error.strerror})") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise NotMeasured(f"{argv[0]} ended with status {done.returncode}" + (f": {said[-1][:200]}" if said else ""))
    return done.stdout


def ask_prometheus(url: str, query: str) -> float:
    """The value of a query. A user and password in ``url`` are sent as they should be, and never shown."""
    parts = urllib.parse.urlsplit(url)
    where = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
    if parts.scheme not in ("http", "https"):
        raise NotMeasured("the address is none of HTTP", where=where, expected="http:// or https://")
    address = f"{where}{parts.path.rstrip('/')}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    name, password = (urllib.parse.unquote(one or "") for one in (parts.username, parts.password))
    try:
        with open_url(
            address, timeout=TIMEOUT, url_username=name or None, url_password=password, force_basic_auth=bool(name)
        ) as answer:
            text = answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        error.close()
        raise NotMeasured(f"{where} answered {error.code}") from None
    except (OSError, ValueError) as error:
        raise NotMeasured(f"{where} did not answer ({getattr(error, 'reason', error)})") from None
    return number_of_prometheus(text, where)


def ask_database(address: str, query: str) -> float:
    """The one number that a query yields, by psql, in a transaction that cannot write.

    The address goes to psql by its environment alone.
    """
    environment = {
        **libpq_environment(address),
        "PGCONNECT_TIMEOUT": "5",
        "PGOPTIONS": f"-c default_transaction_read_only=on -c statement_timeout={TIMEOUT * 1000:.0f}",
    }
    argv = ["psql", "-X", "-A", "-t", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse", "-c", query]
    try:
        said = run_here(argv, environment)
    except NotMeasured as error:
        raise NotMeasured(_without_secret(error.what, environment)) from None
    return number_in(said, "the query")


def libpq_environment(address: str) -> dict[str, str]:
    """A database's address (postgresql://user:password@host:port/name?sslmode=require) as libpq's environment."""
    parts = urllib.parse.urlsplit(address)
    if not parts.scheme.startswith(("postgres", "postgis")):
        raise NotMeasured("the database's address is none of PostgreSQL", expected="postgresql://...")
    found: dict[str, Any] = {
        "PGHOST": parts.hostname,
        "PGPORT": parts.port,
        "PGUSER": parts.username and urllib.parse.unquote(parts.username),
        "PGPASSWORD": parts.password and urllib.parse.unquote(parts.password),
        "PGDATABASE": urllib.parse.unquote(parts.path.lstrip("/")),
    }
    for name, value in urllib.parse.parse_qsl(parts.query):
        if name in _PARAMETERS:
            found[_PARAMETERS[name]] = value
    return {name: str(value) for name, value in found.items() if value}


def _without_secret(text: str, environment: Mapping[str, str]) -> str:
    password = environment.get("PGPASSWORD", "")
    return text.replace(password, "***") if password else text
