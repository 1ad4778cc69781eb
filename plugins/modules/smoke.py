#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: smoke
short_description: Ask instances or a proxy over HTTP and WebSocket whether the application works
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Runs every check at every target, side by side, from the host that the task runs on. Everything must pass.
  - Redirects are answers, nothing is tried a second time, and what a check makes is removed by its cleanup requests.
  - Each failure says what was asked, the status and the first 200 bytes of the answer.
attributes:
  check_mode:
    support: full
    description: In check mode the options are validated and nothing is asked.
  diff_mode:
    support: none
    description: The module changes nothing that could be shown.
options:
  targets:
    description: Where to ask. An instance by its own address, or the proxy with the tester's headers.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description: IP address, host name, or absolute path of a unix socket.
        type: str
        required: true
      port:
        description: TCP port. Left out, it is 443 with O(targets[].tls) and 80 without.
        type: int
      tls:
        description: Whether to speak TLS. The certificate is always verified.
        type: bool
        default: false
      server_name:
        description: The name to ask for (Host, SNI, certificate). Left out, it is O(targets[].address).
        type: str
        default: ""
      ca_file:
        description:
          - PEM file of what to trust instead of the system's authorities, on the host that the task runs on.
          - Other authorities, or the server's own certificate.
        type: str
        default: ""
      headers:
        description: Headers of every request and handshake.
        type: dict
        default: {}
      secret_headers:
        description: Headers whose values are never shown, for instance a tester's token or an authorization.
        type: dict
        default: {}
      label:
        description: Name of the target in the result. Left out, it is address and port.
        type: str
        default: ""
  checks:
    description:
      - What to ask. When the list is empty, the paths of O(health) are asked instead.
      - Each check has a C(name) and a C(kind), V(http) or V(websocket).
      - >-
        V(http): C(path), C(method), C(headers), C(body) or C(json), C(expect) (C(status), C(json) as a subset,
        C(headers), C(text)), C(max_latency) and C(timeout) in seconds, C(cleanup) (list of requests, V(DELETE) by
        default).
      - >-
        V(websocket): C(path), C(headers), C(expect_hello) (first message), C(send) with C(expect), C(broadcast) (its
        C(expect) must reach a second socket), C(ping), C(idle) (seconds of silence that it must survive), C(timeout),
        C(cleanup).
      - >-
        C({unique}) in any text becomes an id of this run, and C({answer.KEY}) in a cleanup the key of the check's
        answer. An expected text that ends in V(*) means "begins with".
    type: list
    elements: dict
    default: []
  health:
    description: Paths of the checks that are made when O(checks) is empty. An empty path is not asked.
    type: dict
    default: {}
    suboptions:
      path:
        description: Answers 200 when the process serves.
        type: str
        default: /health
      readiness:
        description: Answers 200 when everything that the application needs is there.
        type: str
        default: ""
      websocket:
        description: Accepts a WebSocket, which must survive 13 seconds of silence.
        type: str
        default: ""
  expect_headers:
    description: Headers that every answer of every target must carry. A value that ends in V(*) means "begins with".
    type: dict
    default: {}
  deadline:
    description: Seconds for everything together.
    type: float
    default: 60
"""

EXAMPLES = r"""
- name: Ask each new instance directly
  greenlight.deploy.smoke:
    targets:
      - {address: 10.0.0.21, port: 8201}
      - {address: 10.0.0.22, port: 8201}
    health: {path: /health, readiness: /readiness, websocket: /ws/sync}
    expect_headers: {X-Greenlight-Served-By: green/*}

- name: Ask the idle colour through the proxy
  greenlight.deploy.smoke:
    targets:
      - address: 10.0.0.11
        tls: true
        server_name: sync.example.com
        headers: {X-Greenlight-Colour: green}
        secret_headers: {X-Greenlight-Tester: "{{ greenlight_tester_token }}"}
        label: green through the proxy
    checks:
      - name: an upload can be begun
        path: /api/v1/uploads/init
        headers: {Idempotency-Key: "{unique}", X-Tenant: smoke}
        json: {filename: smoke.bin, total_size: 1, mime_type: application/octet-stream, file_hash: "{unique}"}
        expect: {status: 201, json: {duplicate: false}}
        max_latency: 2
        cleanup:
          - {path: "/api/v1/uploads/{answer.upload_id}"}
      - name: an item is synced and a broadcast arrives
        kind: websocket
        path: /ws/sync
        expect_hello: {type: hello, colour: green}
        send: {type: sync, id: "{unique}", domain: smoke, payload: {}}
        expect: {type: ack, id: "{unique}"}
        broadcast:
          send: {type: broadcast, text: "{unique}"}
          expect: {type: broadcast, text: "{unique}"}
        idle: 13
"""

RETURN = r"""
ok:
  description: Whether every check passed at every target.
  returned: always
  type: bool
  sample: true
asked:
  description: How many checks were run. 0 in check mode.
  returned: always
  type: int
  sample: 6
targets:
  description: The verdicts, in the order of the options.
  returned: when asked
  type: list
  elements: dict
  sample:
    - label: 10.0.0.21:8201
      ok: true
      checks:
        - name: health
          ok: true
          request: GET http://10.0.0.21:8201/health at 10.0.0.21:8201
          problems: []
          status: 200
          latency_ms: 4.1
          seconds: 0.004
          first_bytes: '{"status": "ok"}'
summary:
  description: One line a failure, or one line that says how much passed.
  returned: when asked
  type: str
  sample: 6 checks passed at 2 targets in 13.1 s
"""

import secrets
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.health.checks import (
    Check,
    default_checks,
    parse_checks,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import DEFAULT_PORTS, Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.smoke import Target, TargetVerdict, run_smoke
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run

ARGUMENT_SPEC: dict[str, Any] = {
    "targets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "address": {"type": "str", "required": True},
            "port": {"type": "int"},
            "tls": {"type": "bool", "default": False},
            "server_name": {"type": "str", "default": ""},
            "ca_file": {"type": "str", "default": ""},
            "headers": {"type": "dict", "default": {}},
            "secret_headers": {"type": "dict", "default": {}, "no_log": True},
            "label": {"type": "str", "default": ""},
        },
    },
    "checks": {"type": "list", "elements": "dict", "default": []},
    "health": {
        "type": "dict",
        "default": {},
        "options": {
            "path": {"type": "str", "default": "/health"},
            "readiness": {"type": "str", "default": ""},
            "websocket": {"type": "str", "default": ""},
        },
    },
    "expect_headers": {"type": "dict", "default": {}},
    "deadline": {"type": "float", "default": 60},
}


def read_target(raw: dict[str, Any], where: str) -> Target:
    """One element of ``targets``. Raises InvalidInput."""
    port = raw["port"] or DEFAULT_PORTS[raw["tls"]]
    if not 0 < port < 65536:
        raise InvalidInput(f"'port' is {port}", where=where, expected="1 to 65535")
    both = {**raw["headers"], **raw["secret_headers"]}
    headers = tuple((str(name), str(value)) for name, value in both.items())
    if any("\n" in name + value or "\r" in name + value for name, value in headers):
        raise InvalidInput("a header has a line break", where=where, expected="names and values on one line")
    endpoint = Endpoint(raw["address"], port, raw["tls"], raw["server_name"], raw["ca_file"], headers)
    return Target(endpoint, raw["label"] or endpoint.label)


def read_checks(params: dict[str, Any]) -> tuple[Check, ...]:
    """The user's checks or the default ones, which must fit into the deadline. Raises InvalidInput."""
    health = params["health"] or {}
    checks = parse_checks(params["checks"], "checks") or default_checks(
        health.get("path", "/health"), health.get("readiness", ""), health.get("websocket", "")
    )
    for check in checks:
        if check.seconds > params["deadline"]:
            raise InvalidInput(
                f"check {check.name!r} may take {check.seconds:.0f} s",
                where="deadline",
                expected=f"at least that, not {params['deadline']:.0f} s",
                do="raise the deadline or lower the check's timeout and idle",
            )
    return checks


def summarise(verdicts: list[TargetVerdict], seconds: float) -> str:
    """One line a failure, or one line that says how much passed."""
    failures = [
        f"{verdict.label}: {check.describe()}" for verdict in verdicts for check in verdict.checks if not check.ok
    ]
    asked = sum(len(verdict.checks) for verdict in verdicts)
    return "\n".join(failures) or f"{asked} checks passed at {len(verdicts)} targets in {seconds:.1f} s"


def act(module: AnsibleModule) -> dict[str, Any]:
    """Validate, ask unless in check mode, fail the module when anything did not pass."""
    params = module.params
    targets = [read_target(raw, f"targets[{index}]") for index, raw in enumerate(params["targets"])]
    checks = read_checks(params)
    if module.check_mode:
        return {"ok": True, "asked": 0}
    wanted = tuple((str(name), str(value)) for name, value in params["expect_headers"].items())
    start = time.monotonic()
    unique = f"smoke-{secrets.token_hex(6)}"
    verdicts = run_smoke(targets, checks, deadline=params["deadline"], unique=unique, wanted=wanted)
    ok = all(verdict.ok for verdict in verdicts)
    result = {
        "ok": ok,
        "asked": sum(len(verdict.checks) for verdict in verdicts),
        "targets": [verdict.as_dict() for verdict in verdicts],
        "summary": summarise(verdicts, time.monotonic() - start),
    }
    if not ok:
        module.fail_json(msg=f"smoke: {result['summary']}", **result)
    return result


def main() -> None:
    """Entry point."""
    run(act, ARGUMENT_SPEC)


if __name__ == "__main__":
    main()
