# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import http.server
import threading
from contextlib import contextmanager

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.gate.further import NotMeasured
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Outcome
from ansible_collections.greenlight.deploy.plugins.plugin_utils import gate_metrics
from ansible_collections.greenlight.deploy.plugins.plugin_utils.gate_metrics import (
    Measurer,
    ask_database,
    ask_prometheus,
    libpq_environment,
    run_here,
)

ADDRESS = "postgresql://sync:p%40ss%2Fword@10.0.0.5:5433/mobile_sync?sslmode=require&ignored=1"
NAMES = {"app": "shop", "colour": "green", "release": "r1"}
ANSWER = b'{"data":{"resultType":"vector","result":[{"metric":{},"value":[1,"0.25"]}]}}'


@contextmanager
def prometheus(body=ANSWER, status=200):
    """A server that answers every question with this; yields its address and what it was asked."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("Authorization", "")))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def measure(*specs, secrets=None, on_proxy=None):
    return Measurer(specs, NAMES, secrets or {}, on_proxy or (lambda argv: "")).measure()


def test_a_program_here_and_on_the_proxy():
    seen = []

    def on_proxy(argv):
        seen.append(list(argv))
        return "9\n"

    here = {"name": "here", "kind": "command", "command": ["printf", "%s", "3"], "above": 5}
    there = {"name": "there", "kind": "command", "command": ["count", "{colour}"], "above": 5, "where": "proxy"}
    first, second = measure(here, there, on_proxy=on_proxy)
    assert [(one.name, one.value, one.outcome) for one in (first, second)] == [
        ("here", 3.0, Outcome.GOOD),
        ("there", 9.0, Outcome.BAD),
    ]
    assert seen == [["count", "green"]]


def test_what_journals_say_is_measured_elsewhere():
    assert measure({"name": "sync_errors", "kind": "journal", "pattern": "SYNC_ERROR", "above": 5}) == []


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["false"], "false ended with status 1"),
        (["ls", "/nothing/here"], "ls ended with status 2: ls: cannot access"),
        (["/nothing/here"], "cannot be run on the controller"),
        (["echo", "many"], "'many' is not a number"),
    ],
)
def test_a_program_that_fails_is_not_measured(argv, why):
    (metric,) = measure({"name": "conflicts", "kind": "command", "command": argv, "above": 5})
    assert metric.outcome is Outcome.UNKNOWN
    assert why in metric.why


def test_a_program_that_hangs(monkeypatch):
    monkeypatch.setattr(gate_metrics, "TIMEOUT", 0.05)
    with pytest.raises(NotMeasured, match="did not end"):
        run_here(["sleep", "5"])


def test_prometheus_is_asked_and_its_password_is_not_shown():
    with prometheus() as (address, asked):
        assert ask_prometheus(f"http://me:se%40cret@{address}/prom/", 'x{c="green"}') == 0.25
    ((path, authorization),) = asked
    assert path == "/prom/api/v1/query?query=x%7Bc%3D%22green%22%7D"
    assert base64.b64decode(authorization.removeprefix("Basic ")) == b"me:se@cret"
    with prometheus(status=403) as (address, _asked), pytest.raises(NotMeasured, match="answered 403") as error:
        ask_prometheus(f"http://me:secret@{address}", "x")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "why"), [("file:///etc/passwd", "none of HTTP"), ("http://127.0.0.1:1", "did not answer")]
)
def test_no_prometheus(url, why):
    with pytest.raises(NotMeasured, match=why):
        ask_prometheus(url, "x")


def test_the_address_of_a_database_is_for_the_environment():
    assert libpq_environment(ADDRESS) == {
        "PGHOST": "10.0.0.5",
        "PGPORT": "5433",
        "PGUSER": "sync",
        "PGPASSWORD": "p@ss/word",
        "PGDATABASE": "mobile_sync",
        "PGSSLMODE": "require",
    }
    assert libpq_environment("postgis:///mobile_sync") == {"PGDATABASE": "mobile_sync"}
    with pytest.raises(NotMeasured, match="none of PostgreSQL"):
        libpq_environment("mysql://me:secret@host/x")


def test_a_query_is_asked_without_the_password_in_sight(monkeypatch):
    seen = []

    def run(argv, environment):
        seen.append((argv, environment))
        return "7\n"

    monkeypatch.setattr(gate_metrics, "run_here", run)
    assert ask_database(ADDRESS, "select 7") == 7.0
    argv, environment = seen[0]
    assert (argv[0], argv[-1], environment["PGPASSWORD"]) == ("psql", "select 7", "p@ss/word")
    assert "p@ss" not in " ".join(argv)
    assert "VERBOSITY=terse" in argv  # or the last line of an error is where it is, not what
    assert "default_transaction_read_only=on" in environment["PGOPTIONS"]


def test_not_even_an_error_shows_it(monkeypatch):
    def run(argv, environment):
        raise NotMeasured(f"psql ended with status 2: no password p@ss/word for {environment['PGUSER']}")

    monkeypatch.setattr(gate_metrics, "run_here", run)
    spec = {"name": "conflicts", "kind": "sql", "query": "select 1", "above": 5, "dsn_variable": "DATABASE_URL"}
    (metric,) = measure(spec, secrets={"DATABASE_URL": ADDRESS})
    assert metric.why == "conflicts could not be measured: psql ended with status 2: no password *** for sync"
    (metric,) = measure({**spec, "dsn_variable": "OTHER"}, secrets={"DATABASE_URL": ADDRESS})
    assert metric.why == "conflicts could not be measured: there is no OTHER"
