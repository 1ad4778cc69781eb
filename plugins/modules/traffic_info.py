#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic_info
short_description: Who has the clients of an application, on one proxy
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.read_only
description:
  - Tells the state in force (from the files that nginx looks at), the record, and the live connections to each upstream
    from the kernel. A share says where new clients go, the live connections say where the clients are.
options:
  app:
    description: Name of the application, as given to M(greenlight.deploy.nginx_site).
    type: str
    required: true
seealso:
  - module: greenlight.deploy.traffic
  - module: greenlight.deploy.traffic_guard
"""

EXAMPLES = r"""
- name: Who serves?
  greenlight.deploy.traffic_info:
    app: mobile-sync
  register: traffic
"""

RETURN = r"""
installed:
  description: Whether the application is on this proxy. When it is not, nothing else is said but C(state) (null).
  returned: always
  type: bool
state:
  description: The state in force, C(blue), C(green), C(none), or candidate and share such as C(green-10).
  returned: always
  type: str
consistent:
  description: Whether record and state agree. They do not after a run that was killed between the two.
  returned: when installed
  type: bool
returned:
  description:
    - What the dead-man's switch did, null when it did nothing. M(greenlight.deploy.traffic_guard) clears it.
  returned: when installed
  type: dict
  sample:
    at: "2026-11-22T12:51:09Z"
    from: green-10
    to: blue
    why: no sign of life from the controller for 120 s
    deployment: 20261122T124500Z-9f3a
domain:
  description: The name that is served.
  returned: when installed
  type: str
serving:
  description: The colour that has the clients, or the rest of them.
  returned: always
  type: str
candidate:
  description: The colour that a shift goes to, while it is under way.
  returned: always
  type: str
share:
  description: The candidate's share of new clients.
  returned: when installed
  type: int
shares:
  description: Share of new clients per colour.
  returned: when installed
  type: dict
  sample: {blue: 90, green: 10}
previous:
  description: The last good colour before C(serving).
  returned: always
  type: str
releases:
  description: The release of each colour.
  returned: when installed
  type: dict
  sample: {blue: {id: 20261121T090000Z-7f3c2aa, ref: v1.0.0}, green: null}
bad:
  description: Releases that were bad.
  returned: when installed
  type: list
  elements: str
good:
  description: Releases that have had all clients, the latest last.
  returned: when installed
  type: list
  elements: str
updated:
  description: When the record was last changed (UTC).
  returned: when installed
  type: str
classes:
  description: The classes of each colour.
  returned: when installed
  type: dict
upstreams:
  description: Where each colour listens.
  returned: when installed
  type: dict
  sample: {blue: ["10.0.0.21:8101"], green: ["10.0.0.21:8201"]}
sockets:
  description: Established connections to each upstream.
  returned: when installed
  type: dict
  sample: {blue: {"10.0.0.21:8101": 412}, green: {"10.0.0.21:8201": 0}}
live:
  description: Established connections per colour.
  returned: when installed
  type: dict
  sample: {blue: 412, green: 0}
live_share:
  description: Share of the established connections per colour, null when there is none.
  returned: when installed
  type: dict
  sample: {blue: 100.0, green: 0.0}
workers:
  description: nginx's workers that take new connections.
  returned: when installed
  type: int
workers_shutting_down:
  description: Workers of earlier reloads that still have connections.
  returned: when installed
  type: int
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.look import look


def act(module: AnsibleModule) -> dict[str, Any]:
    """Look at this proxy."""
    layout = Layout(text.app_name(module.params["app"]))
    return look(TrafficFiles(layout.traffic), Kernel())


def main() -> None:
    run(act, {"app": {"type": "str", "required": True}})


if __name__ == "__main__":
    main()
