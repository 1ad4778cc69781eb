# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout as LeaseLayout
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.lock import Claim, Lock
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.term import Term
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx import Nginx
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import parse_state, settled
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Finding
from ansible_collections.greenlight.deploy.plugins.modules import traffic
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT


@pytest.fixture
def files(tmp_path, monkeypatch):
    """mobile-sync on this proxy, served by blue; every question is answered as meant."""
    monkeypatch.setattr(traffic, "Layout", lambda app: Layout(app, tmp_path))
    monkeypatch.setattr(
        traffic.ask,
        "find_out",
        lambda contact, questions, timeout: [Finding(one, 200, one.meant, "somewhere", "") for one in questions],
    )
    monkeypatch.setattr(traffic, "Nginx", lambda: Nginx(lambda command: (0, "")))
    made = TrafficFiles(Path(tmp_path, "var/lib/greenlight/mobile-sync/traffic"))
    (made.directory / "states").mkdir(parents=True)
    made.write_contact(CONTACT)
    made.write_record(Record("blue"))
    made.switch(settled("blue"))
    return made


def test_a_share(run_module, files):
    arguments = {"app": "mobile-sync", "colour": "green", "share": 10, "releases": {"green": {"id": "two"}}}
    checked = run_module(traffic, arguments, check=True)
    assert (checked["changed"], checked["after"]["state"], files.state()) == (True, "green-10", settled("blue"))
    done = run_module(traffic, arguments, diff=True)
    assert (done["changed"], done["before"]["state"], done["after"]["state"]) == (True, "blue", "green-10")
    assert done["after"]["releases"] == {"blue": None, "green": {"id": "two"}}
    assert done["verified"] == {"blue": {"asked": 3, "answered": 3}, "green": {"asked": 3, "answered": 3}}
    assert done["diff"]["after"] == done["after"]
    assert files.state() == parse_state("green-10")
    again = run_module(traffic, arguments)
    assert (again["changed"], again["moved"]["classes"], len(again["classes"]["green"])) == (False, [], 10)


def test_settled(run_module, files):
    run_module(traffic, {"app": "mobile-sync", "colour": "green", "settle": True})
    assert (files.state(), files.record().previous) == (settled("green"), "blue")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"colour": "red", "share": 10}, "value of colour must be one of"),
        ({"colour": "green"}, "how many clients"),
        ({"colour": "green", "share": 120}, "a share of 120"),
        ({"colour": "green", "share": 10, "settle": True}, "mutually exclusive"),
        ({"share": 10}, "colour"),
        ({"app": "shop", "colour": "green", "share": 10}, "not installed on this proxy"),
        ({"app": "../x", "colour": "green", "share": 10}, "cannot be used"),
        ({"colour": "green", "share": 10, "verify": -1}, "from 0 to 100"),
        ({"colour": "green", "share": 10, "timeout": 0}, "from 1 to 300"),
    ],
)
def test_what_is_refused_changes_nothing(run_module, files, arguments, message):
    result = run_module(traffic, {"app": "mobile-sync", **arguments})
    assert result.failed
    assert message in result["msg"]
    assert (files.state(), files.record()) == (settled("blue"), Record("blue"))


def test_a_damaged_record_is_refused(run_module, files):
    (files.directory / "traffic.json").write_text("{")
    result = run_module(traffic, {"app": "mobile-sync", "colour": "green", "share": 10})
    assert result.failed
    assert result["error"]["where"].endswith("traffic.json")


def test_a_switch_of_a_deployment_is_in_its_journal(tmp_path):
    files = DeploymentFiles(LeaseLayout("mobile-sync", tmp_path))
    claim = Claim("ann@laptop", None, "20261122T124500Z-9f3a", "v2", "", 0, 0)
    blue, green = {"state": "blue"}, {"state": "green-10", "candidate": "green", "serving": "blue", "share": 10}
    green["releases"] = {"blue": {"id": "one"}, "green": {"id": "two"}}
    traffic.keep(files, blue, green)
    assert files.entries(9) == ([], 0)
    with files.locked():
        files.write_lock(Lock(claim, "token", "", "", Term("boot", 0.0, 0), Term("boot", 0.0, 0)))
    traffic.keep(files, blue, green)
    assert files.record()["share"] == 10
    assert files.record()["release"] == "two"
    assert files.entries(9)[0][0]["data"]["step"] == "blue -> green-10"


def test_nothing_is_switched_without_the_lock(run_module, files, tmp_path):
    arguments = {"app": "mobile-sync", "colour": "green", "share": 10, "deployment": "one"}
    assert "nobody has the lock any more" in run_module(traffic, arguments)["msg"]
    deployments = DeploymentFiles(LeaseLayout("mobile-sync", tmp_path))
    for deployment, fails in (("two", True), ("one", False)):
        claim = Claim("ann@laptop", None, deployment, "v2", "rollback", 0, 0)
        with deployments.locked():
            deployments.write_lock(Lock(claim, "token", "", "", Term("boot", 0.0, 0), Term("boot", 0.0, 0)))
        answer = run_module(traffic, arguments)
        assert answer.get("failed", False) is fails
        assert ("ann@laptop has the lock for: rollback" in answer.get("msg", "")) is fails


def test_a_proxy_that_could_not_start_again_gets_nothing_to_give_but_goes_home(run_module, files, monkeypatch):
    run_module(traffic, {"app": "mobile-sync", "colour": "green", "share": 10})
    refused = (1, "nginx: [emerg] 7#7: unknown directive in /etc/nginx/conf.d/x.conf:1")
    monkeypatch.setattr(traffic, "Nginx", lambda: Nginx(lambda command: refused))
    result = run_module(traffic, {"app": "mobile-sync", "colour": "green", "share": 50})
    assert result.failed
    assert "unknown directive in /etc/nginx/conf.d/x.conf:1" in result["msg"]
    assert files.state() == parse_state("green-10")
    run_module(traffic, {"app": "mobile-sync", "colour": "green", "share": 0})
    assert files.state() == settled("blue")
