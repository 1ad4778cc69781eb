# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The questions of the drain contract as they arrive at an instance."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contract import Contract
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.drain import Report

TOKEN = 'a "token" of the tests'


class Instance(ThreadingHTTPServer):
    """Answers what it was asked, as numbers that the contract knows."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Question)
        self.asked = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Question(BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, self.path, body))
        known = self.headers["X-Greenlight-Control"] == TOKEN
        said = json.dumps({"open": 3, "asked": 2 * bool(body)}).encode() if known else b"{}"
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def log_message(self, *_arguments):
        """Say nothing."""


@pytest.fixture
def instances():
    made = [Instance(), Instance()]
    yield made
    for one in made:
        one.shutdown()
        one.server_close()


@pytest.fixture
def contract(instances, tmp_path):
    """For both instances, with the token of a file that systemd would read."""
    file = tmp_path / "blue.env"
    file.write_text('GREENLIGHT_CONTROL_TOKEN="a \\"token\\" of the tests"\n')
    ports = [one.server_port for one in instances]
    return Contract.of(file, ports, [Listener("*", port, "daphne", 7) for port in ports])


def test_every_instance_is_asked(instances, contract):
    ports = list(contract.addresses)
    assert contract.look(ports) == [Report(port, open=3) for port in ports]
    assert contract.drain(ports[:1], b"{}") == [Report(ports[0], open=3, asked=2)]
    assert instances[0].asked == [("GET", "/.greenlight/sockets", b""), ("POST", "/.greenlight/drain", b"{}")]
    assert instances[1].asked == [("GET", "/.greenlight/sockets", b"")]


@pytest.mark.parametrize("text", ["", 'OTHER="x"\n', 'GREENLIGHT_CONTROL_TOKEN="another"\n'])
def test_without_the_right_token_nothing_is_said(instances, tmp_path, text):
    file = tmp_path / "blue.env"
    if text:
        file.write_text(text)
    port = instances[0].server_port
    (report,) = Contract.of(file, [port], [Listener("127.0.0.1", port, "daphne", 7)]).drain([port], b"{}")
    assert (report.open, report.why) == (0, "it answered 404: it has no drain contract, or another token")


def test_an_instance_that_is_gone_is_told(instances, contract):
    instances[0].shutdown()
    instances[0].server_close()
    gone, there = contract.look(list(contract.addresses))
    assert gone.why
    assert there.why == ""


def test_only_the_ports_of_the_colour_where_they_listen(tmp_path):
    listening = [Listener("10.0.0.21", 8101, "", 0), Listener("::", 8102, "", 0), Listener("*", 8201, "", 0)]
    contract = Contract.of(tmp_path / "none", [8101, 8102, 8103], listening)
    assert contract.addresses == {8101: "10.0.0.21", 8102: "::1"}
    assert "token" not in repr(contract)
