# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to the nginx of this host, over TLS, with the tester's token; each on a connection of its own, once."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.tls import trusting
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Answer, Finding, Question, judge


def ask(contact: Contact, path: str, client_class: str, timeout: float) -> Answer:
    """GET ``path`` as a tester of this class. A fault of the network is an answer with ``error``."""
    headers = {
        "X-Greenlight-Tester": contact.token,
        "Cookie": f"greenlight_class={client_class}",
        "Connection": "close",
    }
    connection = http.client.HTTPConnection(contact.server_name, contact.port, timeout=timeout)
    try:
        context = trusting(Path(contact.certificate).read_text(encoding="ascii"))
        plain = socket.create_connection((contact.address, contact.port), timeout)
        connection.sock = context.wrap_socket(plain, server_hostname=contact.server_name)
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()})
    except (OSError, http.client.HTTPException, ssl.SSLError, UnicodeDecodeError) as error:
        return Answer(0, {}, f"no answer from {contact.address}:{contact.port}: {error or type(error).__name__}")
    finally:
        connection.close()


def find_out(contact: Contact, questions: Iterable[Question], timeout: float) -> list[Finding]:
    """Ask all questions one after the other."""
    return [
        judge(question, ask(contact, contact.path, question.client_class, timeout), contact.upstreams)
        for question in questions
    ]
