# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.ask import ask, find_out
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Question
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.pairs import (
    CERTIFICATE,
    KEY,
    OTHER_CERTIFICATE,
)
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import CONTACT, TOKEN


class Handler(BaseHTTPRequestHandler):
    """Tells the headers that it got as its own."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("X-Greenlight-Colour", "green")
        self.send_header("X-Greenlight-Class", self.headers["Cookie"].removeprefix("greenlight_class="))
        self.send_header("X-Greenlight-Upstream", "10.0.0.21:8201")
        self.send_header("X-Got", f"{self.path} {self.headers['Host']} {self.headers['X-Greenlight-Tester']}")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def contact(tmp_path: Path) -> Iterator[Contact]:
    """Where a server with the certificate of a.example.com listens."""
    (tmp_path / "certificate.pem").write_text(CERTIFICATE)
    (tmp_path / "key.pem").write_text(KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    certificate = str(tmp_path / "certificate.pem")
    yield replace(CONTACT, domain="a.example.com", port=server.server_address[1], certificate=certificate)
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_question_goes_to_this_host_under_the_public_name(contact):
    answer = ask(contact, "/health", "c42", 5)
    assert (answer.status, answer.error) == (200, "")
    assert answer.headers["x-got"] == f"/health a.example.com {TOKEN}"
    assert answer.headers["x-greenlight-class"] == "c42"


def test_questions_are_judged(contact):
    found = find_out(contact, [Question("c00", "green"), Question("c99", "blue")], 5)
    assert [one.problem for one in found] == ["", "sent to green"]


def test_another_certificate_is_not_believed(contact, tmp_path):
    (tmp_path / "certificate.pem").write_text(OTHER_CERTIFICATE)
    assert "certificate not accepted" in ask(contact, "/", "c00", 5).error


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"certificate": "/no/such/file"}, "CA file cannot be used"),
        ({"port": 1}, "connection refused"),
        ({"domain": "x.org"}, "Hostname mismatch"),
    ],
)
def test_no_answer_is_an_answer(contact, changed, error):
    answer = ask(replace(contact, **changed), "/", "c00", 5)
    assert answer.status == 0
    assert error in answer.error
