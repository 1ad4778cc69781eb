#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: See what a host is before a deployment, and what it has of the application
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Reads versions, free space, addresses, the holders of TCP ports and whether other services accept connections, in
    one call.
  - With O(app) it also tells which releases of the application are there and, on a proxy, who has its clients and
    whether the version that serves them answers.
  - Changes nothing and judges nothing.
options:
  python:
    description: Interpreter whose version is wanted.
    type: str
    default: python3
  requires:
    description: Endpoints to connect to, as C(tcp://HOST:PORT). They are tried side by side.
    type: list
    elements: str
    default: []
  folder:
    description: Where free space is wanted. Its nearest existing parent counts when it does not exist yet.
    type: path
    default: /opt
  timeout:
    description: Seconds for each connection.
    type: float
    default: 5
  app:
    description: Name of the application.
    type: str
    default: ""
  root:
    description: Directory that holds the directories of the applications.
    type: path
    default: /opt
  health:
    description: Paths on which the version that serves is asked. An empty one is left out.
    type: dict
    default: {}
    suboptions:
      path:
        description: Liveness.
        type: str
        default: /health
      readiness:
        description: Readiness.
        type: str
        default: ""
      websocket:
        description: WebSocket.
        type: str
        default: ""
seealso:
  - module: greenlight.deploy.release_info
  - module: greenlight.deploy.traffic_info
"""

EXAMPLES = r"""
- name: See what the host is
  greenlight.deploy.host_info:
    requires: ["tcp://10.0.0.5:5432"]
    app: mobile-sync
    health: {path: /health, readiness: /readiness}
  register: host
"""

RETURN = r"""
time:
  description: The host's clock, in seconds since 1970.
  returned: always
  type: float
architecture:
  description: Machine type.
  returned: always
  type: str
  sample: x86_64
python:
  description: Version of the interpreter, empty when it is not there.
  returned: always
  type: str
  sample: 3.11.2
systemd:
  description: Version of systemd, empty when it is not there.
  returned: always
  type: str
  sample: "252"
nginx:
  description: Version of nginx, empty when it is not there.
  returned: always
  type: str
  sample: 1.22.1
disk_free:
  description: Free bytes for O(folder).
  returned: always
  type: int
addresses:
  description: IP addresses of the host.
  returned: always
  type: list
  elements: str
ports:
  description: Holders of the listening TCP ports, by port number as text.
  returned: always
  type: dict
  sample: {"443": {address: "0.0.0.0", port: 443, program: nginx, pid: 812, unit: nginx.service}}
requires:
  description: One entry for each of O(requires); C(error) is empty when it accepted the connection.
  returned: always
  type: list
  elements: dict
  sample: [{endpoint: "tcp://10.0.0.5:5432", error: ""}]
releases:
  description: As in M(greenlight.deploy.release_info).
  returned: with O(app)
  type: list
  elements: dict
colours:
  description: As in M(greenlight.deploy.release_info).
  returned: with O(app)
  type: dict
  sample: {blue: 20261122T124500Z-1a2b3c4, green: ""}
traffic:
  description: What M(greenlight.deploy.traffic_info) returns.
  returned: with O(app)
  type: dict
answers:
  description: Whether this host sends clients to a colour that is well.
  returned: with O(app)
  type: bool
problems:
  description: What is wrong with the colour that serves.
  returned: with O(app)
  type: list
  elements: str
  sample: ["readiness: status 503, expected 200"]
"""

from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet import host
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import listeners
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.presence import presence
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run

ARGUMENTS: dict[str, Any] = {
    "python": {"type": "str", "default": "python3"},
    "requires": {"type": "list", "elements": "str", "default": []},
    "folder": {"type": "path", "default": "/opt"},
    "timeout": {"type": "float", "default": 5.0},
    "app": {"type": "str", "default": ""},
    "root": {"type": "path", "default": "/opt"},
    "health": {
        "type": "dict",
        "default": {},
        "options": {
            "path": {"type": "str", "default": "/health"},
            "readiness": {"type": "str", "default": ""},
            "websocket": {"type": "str", "default": ""},
        },
    },
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Look at this host."""
    wanted = module.params
    seen = host.describe(wanted["python"], wanted["requires"], wanted["folder"], wanted["timeout"])
    ports = {str(found.port): asdict(found) for found in listeners()}
    there = presence(*(wanted[name] for name in ("app", "root", "health", "timeout"))) if wanted["app"] else {}
    return {**seen, "ports": ports, **there}


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
