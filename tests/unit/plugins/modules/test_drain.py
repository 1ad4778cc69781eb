# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import HttpAnswer
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import contract, emptying
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.sockets import ESTABLISHED, Socket
from ansible_collections.greenlight.deploy.plugins.modules import drain

COMMAND = ["python", "manage.py", "drain", "--classes", "{classes}", "--over", "{seconds}"]
ASKING = {"app": "shop", "colour": "blue", "command": COMMAND, "classes": ["c00", "c01"], "over": 5}
WAITING = {"app": "shop", "colour": "blue", "ports": [8101, 8102], "deadline": 10}
BY_CONTRACT = {**WAITING, "contract": True, "classes": ["c00", "c01"], "over": 5}
LISTENING = 10
TOKEN = "a token of the tests"
UNKNOWN = HttpAnswer(404, body=b'{"error": "not found"}')


def answer(status=200, **counts):
    return HttpAnswer(status, body=json.dumps(counts).encode())


@pytest.fixture
def host(monkeypatch, tmp_path):
    """A host whose drain command ends with ``status``.

    Each count of its sockets takes the next of ``tables`` (the last one stays), each question to an instance the next
    of its ``answers``; ``asked`` are the questions.
    """
    seen = SimpleNamespace(ran=[], status=0, tables=[[]], now=0.0, asked=[], answers={}, restarted=[])

    def run(command, context, *, what):
        seen.ran.append(command)
        if seen.status:
            raise CommandFailed(f"ended with status {seen.status}: no such channel layer", where=what)

    def sleep(seconds):
        seen.now += seconds

    def sockets():
        return seen.tables.pop(0) if len(seen.tables) > 1 else seen.tables[0]

    async def ask(endpoint, path, *, method, headers, body, timeout):
        seen.asked.append((endpoint.label, method, path, dict(headers)["X-Greenlight-Control"], body))
        answers = seen.answers[endpoint.port]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/blue.env").write_text(f'A="1"\nGREENLIGHT_CONTROL_TOKEN="{TOKEN}"\n')
    units = {port: f"shop-web-blue@{port}.service" for port in (8101, 8102)}
    listening = [Listener("10.0.0.21", port, "daphne", port, unit) for port, unit in units.items()]
    systemd = SimpleNamespace(start=lambda units: seen.restarted.append((seen.now, units)))
    monkeypatch.setattr(drain, "CONFIGURATION", tmp_path)
    monkeypatch.setattr(drain, "run_command", run)
    monkeypatch.setattr(drain, "listeners", lambda: [*listening, Listener("10.0.0.21", 8201, "daphne", 9)])
    monkeypatch.setattr(contract, "ask", ask)
    monkeypatch.setattr(emptying, "Kernel", lambda: SimpleNamespace(sockets=sockets))
    monkeypatch.setattr(emptying, "Systemd", lambda stop: systemd)
    monkeypatch.setattr(emptying, "time", SimpleNamespace(monotonic=lambda: seen.now, sleep=sleep))
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
        f"--property=EnvironmentFile={drain.CONFIGURATION}/shop/blue.env",
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
    full = connected("192.0.2.21:8101", "[2001:db8::1]:8102") + others + waiting
    host.tables = [full, full, others + waiting]
    result = run_module(drain, WAITING)
    assert result["connections"] == {"before": 2, "after": 0, "seconds": 0.25}
    assert result["sockets"] == {
        "before": 2, "asked": None, "closed": None, "by_themselves": None, "left": 0, "cut": 0,
    }  # fmt: skip
    assert result["changed"] is False


def test_the_deadline_ends_the_wait_and_cuts_nothing(run_module, host):
    host.tables = [connected("192.0.2.21:8101")]
    result = run_module(drain, WAITING)
    assert not result.failed
    assert result["connections"] == {"before": 1, "after": 1, "seconds": 10.0}
    assert (result["sockets"]["left"], result["sockets"]["cut"], host.restarted) == (1, 0, [])


def test_check_mode_counts_once_and_asks_nobody(run_module, host):
    host.tables = [connected("192.0.2.21:8101"), []]
    result = run_module(drain, {**WAITING, **ASKING}, check=True)
    assert (result["changed"], host.ran) == (True, [])
    assert result["connections"] == {"before": 1, "after": 1, "seconds": 0.0}


def test_every_instance_is_asked_by_the_contract_where_it_listens(run_module, host):
    host.tables = [connected("10.0.0.21:8101", "10.0.0.21:8102")]
    host.answers = {
        8101: [answer(202, asked=3, open=5, closed=10), answer(open=4, closed=11), answer(open=0, closed=13)],
        8102: [answer(202, asked=2, open=2, closed=0), answer(open=0, closed=1, by_themselves=1)],
    }
    result = run_module(drain, {**BY_CONTRACT, "command": COMMAND})
    body = b'{"classes": "0-1", "over": 5, "code": 4012}'
    assert host.asked[:2] == [(f"10.0.0.21:{port}", "POST", "/.greenlight/drain", TOKEN, body) for port in (8101, 8102)]
    assert {question[1:3] for question in host.asked[2:]} == {("GET", "/.greenlight/sockets")}
    assert (result["changed"], result["asked"], result["unanswered"], host.ran) == (True, "0-1", [], [])
    assert result["sockets"] == {"before": 7, "asked": 5, "closed": 4, "by_themselves": 1, "left": 0, "cut": 0}
    assert result["connections"]["seconds"] == 0.25
    assert TOKEN not in str(result.answer)


def test_a_deadline_of_0_asks_and_does_not_wait(run_module, host):
    host.answers = {port: [answer(202, asked=3, open=5, requests=1)] for port in (8101, 8102)}
    result = run_module(drain, {**BY_CONTRACT, "deadline": 0})
    assert len(host.asked) == 2
    assert (result["sockets"]["asked"], result["sockets"]["left"], result["requests"]) == (6, 10, 2)
    assert result["connections"]["seconds"] == 0.0


def test_it_waits_for_the_longest_request_too(run_module, host):
    host.answers = {8101: [answer(202), answer(requests=1), answer()], 8102: [answer(202), answer()]}
    result = run_module(drain, BY_CONTRACT)
    assert (result["requests"], result["connections"]["seconds"]) == (0, 0.25)


def test_without_classes_the_instances_are_only_waited_for(run_module, host):
    host.answers = {8101: [answer(open=1), answer(open=0)], 8102: [answer()]}
    result = run_module(drain, {**BY_CONTRACT, "classes": []})
    assert {question[1] for question in host.asked} == {"GET"}
    assert (result["changed"], result["asked"]) == (False, "")
    assert result["sockets"]["before"] == 1


def test_check_mode_asks_only_what_is_open(run_module, host):
    host.answers = {port: [answer(open=2)] for port in (8101, 8102)}
    result = run_module(drain, BY_CONTRACT, check=True)
    assert [question[1] for question in host.asked] == ["GET", "GET"]
    assert (result["changed"], result["asked"], result["sockets"]["left"]) == (True, "0-1", 4)


def test_a_client_that_never_closes_is_told_after_the_deadline(run_module, host):
    host.answers = {8101: [answer(202, asked=2, open=2), answer(open=1, closed=1)], 8102: [answer(202), answer()]}
    result = run_module(drain, BY_CONTRACT)
    assert not result.failed
    assert result["sockets"] == {"before": 2, "asked": 2, "closed": 1, "by_themselves": 0, "left": 1, "cut": 0}
    assert result["connections"]["seconds"] == 10.0


def test_an_instance_without_the_contract_is_told_and_the_command_asks(run_module, host):
    host.tables = [connected("10.0.0.21:8101", "10.0.0.21:8102"), connected("10.0.0.21:8102"), []]
    host.answers = {8101: [UNKNOWN], 8102: [answer(202, asked=1, open=1), answer(closed=1)]}
    result = run_module(drain, {**BY_CONTRACT, "command": COMMAND})
    assert len(host.ran) == 1
    why = "it answered 404: it has no drain contract, or another token"
    assert result["unanswered"] == [{"port": 8101, "why": why}]
    assert f"The instance on port 8101 could not be asked by the drain contract: {why}." in str(result["warnings"])
    assert result["sockets"] == {"before": 2, "asked": 1, "closed": 1, "by_themselves": 0, "left": 0, "cut": 0}


def test_no_instance_with_the_contract_and_no_command_asks_nobody(run_module, host):
    host.answers = {port: [UNKNOWN] for port in (8101, 8102)}
    result = run_module(drain, BY_CONTRACT)
    assert (result["changed"], result["asked"], result.failed) == (False, "", False)


def test_an_instance_that_ends_while_it_is_waited_for_is_counted_by_its_connections(run_module, host):
    gone = HttpAnswer(0, error="connection refused", kind="connect")
    host.tables = [connected("10.0.0.21:8101"), connected("10.0.0.21:8101"), []]
    host.answers = {8101: [answer(202, asked=1, open=1), gone], 8102: [answer(202), answer()]}
    result = run_module(drain, BY_CONTRACT)
    assert result["sockets"] == {"before": 1, "asked": 1, "closed": 0, "by_themselves": 0, "left": 0, "cut": 0}


def test_an_instance_that_does_not_run_is_not_asked(run_module, host, monkeypatch):
    monkeypatch.setattr(drain, "listeners", lambda: [Listener("*", 8102, "daphne", 7)])
    host.answers = {8102: [answer(202, asked=1, open=1), answer(closed=1)]}
    result = run_module(drain, BY_CONTRACT)
    assert host.asked[0][0] == "127.0.0.1:8102"
    assert (result["unanswered"], result["sockets"]["closed"]) == ([], 1)


def test_one_by_one_cuts_what_is_left_in_portions(run_module, host):
    host.tables = [connected("10.0.0.21:8101", "10.0.0.21:8102", "10.0.0.21:8102")] * 45 + [[]]
    result = run_module(drain, {**WAITING, "one_by_one": True, "over": 6})
    assert host.restarted == [(10.0, ["shop-web-blue@8101.service"]), (13.0, ["shop-web-blue@8102.service"])]
    assert result["changed"] is True
    assert (result["sockets"]["cut"], result["sockets"]["left"]) == (3, 0)


def test_one_by_one_touches_nobody_who_is_empty(run_module, host):
    result = run_module(drain, {**WAITING, "one_by_one": True})
    assert (result["changed"], host.restarted, result["sockets"]["cut"]) == (False, [], 0)
