# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.look import look
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import parse_state
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import Record
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT

TABLE = "heading\n" + "".join(
    f" {number}: 0B00000A:{50000 + number:04X} 1500000A:{port:04X} 01 0:0 0:0 0 0 0 1 1\n"
    for number, port in enumerate([8101, 8101, 8101, 8201])
)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    proc = tmp_path / "proc"
    (proc / "net").mkdir(parents=True)
    (proc / "net/tcp").write_text(TABLE)
    for pid, title in enumerate(["master process nginx", "worker process", "worker process is shutting down"]):
        (proc / str(pid)).mkdir()
        (proc / str(pid) / "cmdline").write_text(f"nginx: {title}\0")
    return Kernel(proc)


@pytest.fixture
def files(root: Path) -> TrafficFiles:
    made = TrafficFiles(root / "traffic")
    made.prepare()
    return made


def test_an_application_that_is_not_here_is_no_failure(files, kernel):
    assert look(files, kernel) == {
        "installed": False,
        "state": None,
        "serving": None,
        "candidate": None,
        "previous": None,
    }


def test_where_new_clients_go_and_where_the_clients_are(files, kernel):
    files.write_contact(CONTACT)
    files.write_record(Record("blue", "green", 10, updated="now"))
    files.switch(parse_state("green-10"))
    seen = look(files, kernel)
    assert (seen["state"], seen["serving"], seen["candidate"], seen["share"]) == ("green-10", "blue", "green", 10)
    assert seen["consistent"]
    assert seen["shares"] == {"blue": 90, "green": 10}
    assert seen["sockets"] == {"blue": {"10.0.0.21:8101": 3}, "green": {"10.0.0.21:8201": 1}}
    assert (seen["live"], seen["live_share"]) == ({"blue": 3, "green": 1}, {"blue": 75.0, "green": 25.0})
    assert (seen["workers"], seen["workers_shutting_down"]) == (1, 1)
    assert len(seen["classes"]["green"]) == 10


def test_the_link_is_the_truth(files, kernel):
    files.write_contact(CONTACT)
    files.write_record(Record("blue"))
    files.switch(parse_state("green"))
    seen = look(files, kernel)
    assert (seen["state"], seen["serving"], seen["consistent"]) == ("green", "green", False)


def test_installed_but_without_a_state(files, kernel):
    files.write_contact(CONTACT)
    assert look(files, kernel)["state"] == "none"


def test_what_the_dead_mans_switch_did_is_told(files, kernel):
    files.write_contact(CONTACT)
    assert look(files, kernel)["returned"] is None
    report = files.directory.parent / "deployment/returned.json"
    report.parent.mkdir()
    text = '{"at": "t", "from": "green-10", "to": "blue", "why": "silence", "deployment": "d1"}'
    report.write_text(text)
    assert look(files, kernel)["returned"] == json.loads(text)
