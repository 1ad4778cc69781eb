# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import settled
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Finding
from ansible_collections.greenlight.deploy.plugins.modules import traffic_home
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT

APP = {"app": "mobile-sync"}
RECORD = Record("green", previous="blue", releases={"blue": {"id": "b1", "ref": "v1"}, "green": {"id": "g2"}})


@pytest.fixture
def files(tmp_path, monkeypatch):
    """mobile-sync on this proxy, served by green; blue has the problems ``files.ill``."""
    monkeypatch.setattr(traffic_home, "Layout", lambda app: Layout(app, tmp_path))
    made = TrafficFiles(Path(tmp_path, "var/lib/greenlight/mobile-sync/traffic"))
    made.ill, made.looked = [], []

    def look_at(endpoint, checks, timeout, served_by):
        made.looked.append((dict(endpoint.headers)["X-Greenlight-Colour"], [check.name for check in checks], served_by))
        return made.ill

    monkeypatch.setattr(traffic_home, "look_at", look_at)
    monkeypatch.setattr(
        traffic_home.ask,
        "find_out",
        lambda contact, questions, timeout: [Finding(one, 200, one.meant, "somewhere", "") for one in questions],
    )
    (made.directory / "states").mkdir(parents=True)
    made.write_contact(CONTACT)
    made.write_record(RECORD)
    made.switch(settled("green"))
    return made


def test_everybody_goes_home(run_module, files):
    checked = run_module(traffic_home, APP, check=True)
    assert (checked["changed"], files.looked, files.state()) == (True, [], settled("green"))
    done = run_module(traffic_home, {**APP, "health": {"websocket": "/ws"}}, diff=True)
    assert (done["changed"], done["home"], done["way"]["colour"], files.state()) == (
        True,
        True,
        "blue",
        settled("blue"),
    )
    assert files.looked == [("blue", ["health", "readiness", "websocket"], "blue/b1/")]
    assert done["diff"]["after"]["bad"] == ["g2"]
    assert set(done["seconds"]) == {"asked", "switched", "verified"}
    again = run_module(traffic_home, APP)
    assert again.failed
    assert "no earlier good version" in again["msg"]
    assert not run_module(traffic_home, {**APP, "colour": "blue"})["changed"]


def test_a_colour_that_does_not_answer_gets_no_clients(run_module, files):
    files.ill = ["health: status 502"]
    result = run_module(traffic_home, APP)
    assert (result.failed, result["changed"], result["home"]) == (False, False, False)
    assert (result["problems"], files.state()) == (["health: status 502"], settled("green"))


def test_with_the_release_that_it_has_from_now_on(run_module, files):
    arguments = {**APP, "colour": "blue", "release": {"id": "b0", "ref": "v0"}, "health": {"readiness": ""}}
    result = run_module(traffic_home, arguments)
    assert result["after"]["releases"]["blue"] == {
        "id": "b0", "ref": "v0", "sha": "", "fingerprint": "", "status": "good",
    }  # fmt: skip
    assert files.looked == [("blue", ["health"], "blue/b0/")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"app": "Shop!"}, "app"),
        ({**APP, "colour": "red"}, "value of colour must be one of"),
        ({**APP, "verify": 101}, "verify"),
        ({**APP, "timeout": 0}, "timeout"),
        ({"app": "unknown"}, "not installed on this proxy"),
    ],
)
def test_bad_options(run_module, files, arguments, message):
    result = run_module(traffic_home, arguments)
    assert result.failed
    assert message in result["msg"]
