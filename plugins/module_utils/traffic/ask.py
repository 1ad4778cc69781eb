# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to the nginx of this host, over TLS, with the tester's token; each on a connection of its own, once."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_client import probe_http
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Answer, Finding, Question, judge


def ask(contact: Contact, path: str, client_class: str, timeout: float) -> Answer:
    """GET ``path`` as a tester of this class. A fault of the network is an answer with ``error``."""
    endpoint = Endpoint(
        contact.address,
        contact.port,
        tls=True,
        server_name=contact.server_name,
        ca_file=contact.certificate,
        headers=(("X-Greenlight-Tester", contact.token), ("Cookie", f"greenlight_class={client_class}")),
    )
    answer = probe_http(endpoint, path, timeout=timeout)
    error = f"no answer from {endpoint.label}: {answer.error}" if answer.error else ""
    return Answer(answer.status, answer.headers, error)


def find_out(contact: Contact, questions: Iterable[Question], timeout: float) -> list[Finding]:
    """Ask all questions one after the other."""
    return [
        judge(question, ask(contact, contact.path, question.client_class, timeout), contact.upstreams)
        for question in questions
    ]
