# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from ansible import constants
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.greenlight.deploy.plugins.action import traffic_gate
from ansible_collections.greenlight.deploy.plugins.action.traffic_gate import ActionModule, Bell
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.figures import Figures
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.judge import Limits
from ansible_collections.greenlight.deploy.plugins.module_utils.gate.machine import Rules

GATE = {
    **vars(Limits()),
    **vars(Rules(20)),
    "interval": 5,
    "window": 10,
    "warm_up": 5,
    "synthetic": True,
    "metrics": [],
}
SQL = {"name": "conflicts", "kind": "sql", "query": "select 9", "above": 5, "dsn_variable": "DATABASE_URL"}
COUNT = {"name": "count", "kind": "command", "command": ["count", "{colour}"], "above": 5, "where": "proxy"}


@pytest.fixture
def gate(monkeypatch, tmp_path):
    """Call ``gate(**arguments)``; attributes of it say what the proxy is like and what was displayed."""
    world = SimpleNamespace(now=0.0, errors=0, fault=None, calls=[], shown=[], proxies=["edge"])

    def execute(module_name, module_args, task_vars):
        world.calls.append((module_name, module_args))
        if world.fault:
            return world.fault()
        if module_name == "ansible.legacy.command":
            return {"stdout": "9\n"}
        world.now += module_args["seconds"] + 0.2
        green = Figures(requests=100, errors=world.errors, latencies={12: 100}).as_dict()
        blue = Figures(requests=900, latencies={12: 900}).as_dict()
        return {
            "cursor": {"inode": 1},
            "seconds": module_args["seconds"] + 0.2,
            "colours": {"green": {**green, "sockets": 30}, "blue": {**blue, "sockets": 270}},
            "probes": None,
            "state": "green-10",
            "decision": None,
            "cpu_seconds": 0.1,
            "gap": False,
            "unreadable": 0,
        }

    def sleep(seconds):
        world.now += seconds

    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path), raising=False)
    monkeypatch.setattr(traffic_gate.ProxyWorld, "clock", lambda self: world.now)
    monkeypatch.setattr(traffic_gate.ProxyWorld, "sleep", lambda self, seconds: sleep(seconds))

    def run(*, check=False, host="edge", task="1", **arguments):
        given = {"app": "shop", "colour": "green", "serving": "blue", "share": 10, "seconds": 20, "gate": GATE}
        asked = {"args": {**given, **arguments}, "check_mode": check, "_uuid": task}
        task = SimpleNamespace(async_val=0, action="traffic_gate", **asked)
        templar = SimpleNamespace(template=lambda value: value)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
        plugin = ActionModule(task, connection, MagicMock(), MagicMock(), templar)
        monkeypatch.setattr(plugin, "_display", SimpleNamespace(display=world.shown.append))
        monkeypatch.setattr(plugin, "_execute_module", execute)
        secrets = {"DATABASE_URL": "postgresql://me:hush-hush@127.0.0.1:1/x"}
        variables = {
            "inventory_hostname": host,
            "ansible_inventory_sources": ["production"],
            "groups": {"proxies": world.proxies},
            "greenlight_secrets": secrets,
        }
        return plugin.run(task_vars=variables)

    run.world = world
    return run


def test_a_pass(gate):
    result = gate()
    assert (result.get("failed"), result["changed"], result["verdict"]) == (False, False, "pass")
    assert result["why"].startswith("2 of 2 windows were good")
    assert [window["outcome"] for window in result["windows"]] == ["good"] * len(result["windows"])
    assert gate.world.shown[0].startswith("  green 10 %   5 s of 20 s   green 19 req/s")
    assert {name for name, _arguments in gate.world.calls} == {"greenlight.deploy.traffic_window"}


def test_a_fail_fails_the_task(gate):
    gate.world.errors = 9
    result = gate()
    assert (result["failed"], result["verdict"]) == (True, "fail")
    assert "with an error (9.0 %), limit 2.0 %; blue 0.0 %" in result["msg"]


def test_what_one_proxy_says_stops_the_other(gate):
    gate.world.proxies = ["edge", "edge2"]
    gate.world.errors = 100
    gate()
    gate.world.errors = 0
    result = gate(host="edge2")
    assert result["verdict"] == "fail"
    assert result["why"].startswith("edge: green answered 100 of 100 requests")
    assert gate.world.shown[-1].startswith("  edge2  green 10 %")


def test_the_first_who_rings_is_heard(tmp_path):
    first, second = Bell(tmp_path / "bell", "edge"), Bell(tmp_path / "bell", "edge2")
    assert second.heard() == ""
    first.ring("green is dead")
    second.ring("green is slow")
    assert second.heard() == "edge: green is dead"


def test_a_proxy_that_is_lost_is_unreachable_and_stops_the_others(gate):
    def fault():
        raise AnsibleConnectionFailure("no route to host")

    gate.world.fault = fault
    with pytest.raises(AnsibleConnectionFailure, match="no route"):
        gate()
    gate.world.fault = None
    assert gate(host="edge2")["why"] == "edge: no route to host"


def test_a_module_that_fails_is_no_measurement(gate):
    gate.world.fault = lambda: {"failed": True, "msg": "the access log cannot be read"}
    result = gate(gate={**GATE, "measure_errors": 2, "decision_timeout": 10})
    assert (result["verdict"], result["failed"]) == ("inconclusive", True)
    assert "2 times in a row: the access log cannot be read" in result["why"]
    assert any("greenlight.deploy.decide -i production -e decision" in line for line in gate.world.shown)


def test_metrics_of_the_users_own_and_their_secrets(gate):
    result = gate(gate={**GATE, "metrics": [COUNT]})
    assert "count is 9, limit at most 5" in result["why"]
    assert ("ansible.legacy.command", {"argv": ["count", "green"]}) in gate.world.calls
    result = gate(task="2", gate={**GATE, "metrics": [SQL], "measure_errors": 1, "decision_timeout": 0})
    assert result["verdict"] == "inconclusive"
    assert "conflicts could not be measured: psql " in result["why"]
    assert "hush-hush" not in repr((result, gate.world.calls, gate.world.shown))
    assert gate(task="3", gate={**GATE, "metrics": [{**SQL, "dry_run": True}]})["verdict"] == "pass"


def test_check_mode_has_no_verdict(gate):
    result = gate(check=True)
    assert (result["skipped"], "verdict" in result, gate.world.calls) == (True, False, [])
