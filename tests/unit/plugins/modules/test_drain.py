# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.sockets import ESTABLISHED, Socket
from ansible_collections.greenlight.deploy.plugins.modules import drain

COMMAND = ["python", "manage.py", "drain", "--classes", "{classes}", "--over", "{seconds}"]
ASKING = {"app": "shop", "colour": "blue", "command": COMMAND, "classes": ["c00", "c01"], "over": 5}
WAITING = {"app": "shop", "colour": "blue", "ports": [8101, 8102], "deadline": 10}
LISTENING = 10


@pytest.fixture
def host(monkeypatch):
    """A host whose drain command ends with ``status``; each count of its sockets takes the next of ``tables``."""
    seen = SimpleNamespace(ran=[], status=0, tables=[], now=0.0)

    def run(command, context, *, what):
        seen.ran.append(command)
        if seen.status:
            raise CommandFailed(f"ended with status {seen.status}: no such channel layer", where=what)

    def sleep(seconds):
        seen.now += seconds

    monkeypatch.setattr(drain, "run_command", run)
    monkeypatch.setattr(drain, "Kernel", lambda: SimpleNamespace(sockets=lambda: seen.tables.pop(0)))
    monkeypatch.setattr(drain, "time", SimpleNamespace(monotonic=lambda: seen.now, sleep=sleep))
    return seen


def connected(*local):
    return [Socket(address, "192.0.2.9:40000", ESTABLISHED) for address in local]


def test_the_command_runs_as_the_services_of_the_colour_run(run_module, host):
    result = run_module(drain, ASKING)
    assert (result["changed"], result["asked"]) == (True, "0-1")
    (command,) = host.ran
    words = command[command.index("--") + 1 :]
    assert words == ["/opt/shop/blue/venv/bin/python", "manage.py", "drain", "--classes", "0-1", "--over", "5"]
    assert {
        "--property=User=shop",
        "--property=WorkingDirectory=/opt/shop/blue",
        "--property=EnvironmentFile=/etc/greenlight/shop/blue.env",
    } <= set(command)


def test_another_account_and_folder(run_module, host):
    run_module(drain, {**ASKING, "user": "web", "root": "/srv"})
    assert "--property=User=web" in host.ran[0]
    assert "/srv/shop/blue/venv/bin/python" in host.ran[0]


def test_a_command_that_fails_fails_the_module_with_what_it_said(run_module, host):
    host.status = 1
    result = run_module(drain, ASKING)
    assert result.failed
    assert "drain command: ended with status 1" in result["msg"]
    assert "no such channel layer" in result["msg"]


@pytest.mark.parametrize("missing", ["command", "classes"])
def test_nobody_is_asked_without_a_command_or_a_class(run_module, host, missing):
    result = run_module(drain, {**ASKING, missing: []})
    assert (result["changed"], result["asked"], host.ran) == (False, "", [])


def test_only_established_connections_to_the_ports_of_the_colour_count(run_module, host):
    others = connected("192.0.2.21:8201", "192.0.2.21:18101")
    waiting = [Socket("0.0.0.0:8101", "0.0.0.0:0", LISTENING)]
    host.tables = [connected("192.0.2.21:8101", "[2001:db8::1]:8102") + others + waiting, others + waiting]
    result = run_module(drain, WAITING)
    assert result["connections"] == {"before": 2, "after": 0, "seconds": 0.5}
    assert result["changed"] is False


def test_the_deadline_ends_the_wait_and_cuts_nothing(run_module, host):
    host.tables = [connected("192.0.2.21:8101")] * 100
    result = run_module(drain, WAITING)
    assert not result.failed
    assert result["connections"] == {"before": 1, "after": 1, "seconds": 10.0}


def test_check_mode_counts_once_and_asks_nobody(run_module, host):
    host.tables = [connected("192.0.2.21:8101")]
    result = run_module(drain, {**WAITING, **ASKING}, check=True)
    assert (result["changed"], host.ran) == (True, [])
    assert result["connections"] == {"before": 1, "after": 1, "seconds": 0.0}
