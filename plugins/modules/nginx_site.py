#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_site
short_description: Put an application with a blue and a green side behind the nginx of this host
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Writes the application's nginx file, with TLS, the split of the clients into 100 classes and one upstream per
    colour, raises nginx's limits where they are too low, and lets nginx check it all before it reads it.
  - nginx is reloaded only when a file changed, and is then asked whether it acts on the new one. When nginx refuses the
    files or does not act on them, the files of before are put back and the module fails.
  - An application that is new here answers 503 until M(greenlight.deploy.traffic) settles a colour.
attributes:
  check_mode:
    support: full
    description: Says what would change; nginx is not asked to check it.
  diff_mode:
    support: full
    description: Shows each file that differs, without the key and without the tester's token.
options:
  state:
    description: V(checked) only looks whether the options, the certificate and the ports are right; it needs no nginx.
    type: str
    choices: [present, checked]
    default: present
  app:
    description: Name of the application, a part of file and upstream names.
    type: str
    required: true
  domain:
    description: Name under which clients reach the application.
    type: str
    required: true
  aliases:
    description: Further names.
    type: list
    elements: str
    default: []
  apps:
    description: The address on which each application host serves, by host.
    type: dict
    required: true
  groups:
    description:
      - Names of the hosts in O(apps) that run C(blue) and C(green), where the colours have hosts of their own. All of
        them run a colour that is not listed.
    type: dict
    default: {}
  proxies:
    description: Names of the proxies. An application host that is also the only proxy serves on the loopback address.
    type: list
    elements: str
    required: true
  services:
    description:
      - The application's services, as in C(greenlight_services). What counts are C(name), C(instances) and C(ports)
        (C(blue), C(green)).
      - Instance i of a colour listens on C(ports[colour]) + i. A service without ports answers no clients.
      - A colour that has clients keeps the addresses that are installed; its instances run where they were started.
    type: list
    elements: dict
    required: true
  service:
    description: Name of the service that answers the clients. Left out, the first one that has ports.
    type: str
    default: ""
  certificate:
    description: The chain in PEM, the server's own certificate first.
    type: str
    required: true
  key:
    description: Its private key in PEM, without a passphrase.
    type: str
    required: true
  certificate_days:
    description: A certificate that ends sooner than in so many days is refused.
    type: int
    default: 7
  tester_token:
    description: Secret of 16 to 128 letters, digits, C(_) and C(-) with which a request can choose its colour.
    type: str
    required: true
  sticky:
    description:
      - What tells one client from another, the first that a request has.
      - V(cookie) keeps a client in its class by a cookie and comes first; V(header:NAME); V(cookie:NAME); V(address) is
        the last.
    type: list
    elements: str
    default: [cookie, "header:X-Device-Id", address]
  cookie_lifetime:
    description: Seconds that a client keeps its class by cookie.
    type: int
    default: 2592000
  websocket_paths:
    description: Where WebSockets begin. Paths below them count too.
    type: list
    elements: str
    default: [/ws/]
  websocket_timeout:
    description: Seconds of silence after which a WebSocket is closed.
    type: int
    default: 300
  websocket_ping:
    description: How often the application pings; twice that must be less than O(websocket_timeout).
    type: int
    default: 20
  timeout:
    description: Seconds that the application may be silent in the middle of any other request.
    type: int
    default: 30
  connect_timeout:
    description: Seconds to connect to an instance.
    type: int
    default: 2
  retry_timeout:
    description: Seconds after which a request is no longer tried with the next instance.
    type: int
    default: 10
  retry_unsafe:
    description: Whether a request that may have been acted on (POST and the like) is tried with the next instance too.
      Only for applications with idempotency keys.
    type: bool
    default: false
  max_fails:
    description: Failures after which an instance is left out for O(fail_timeout). A candidate is left out after one.
    type: int
    default: 3
  fail_timeout:
    description: Seconds.
    type: int
    default: 5
  keepalive:
    description: Idle connections to the application that each worker keeps. With V(0) live connections are counted
      exactly.
    type: int
    default: 0
  balance:
    description: How requests are spread over the instances of a colour.
    type: str
    choices: [round_robin, least_conn]
    default: round_robin
  body_limit:
    description: Largest request, such as V(20m); V(0) for no limit.
    type: str
    default: 20m
  health_path:
    description: What is asked for when a proxy is asked who answers.
    type: str
    default: /health
  connections:
    description: How many clients at once each proxy must bear. nginx's limits are raised to it, never lowered.
    type: int
    default: 1000
  drain:
    description: Seconds that draining WebSockets may take. Old workers of a reload live 30 seconds longer.
    type: int
    default: 300
  load_balancers:
    description: Addresses or networks in front of the proxies, whose C(X-Forwarded-For) is believed.
    type: list
    elements: str
    default: []
  addresses:
    description: Where to listen. IPv6 is left out on a host without it.
    type: list
    elements: str
    default: ["0.0.0.0", "::"]
  http_port:
    description: Port that only redirects.
    type: int
    default: 80
  https_port:
    description: Port of the application.
    type: int
    default: 443
  backlog:
    description: Connections that may wait to be accepted, unless another file sets this for the same port. V(0) for
      nginx's own.
    type: int
    default: 4096
  hsts:
    description: Seconds that browsers remember to use TLS only. V(0) to leave the header out.
    type: int
    default: 31536000
  log_days:
    description: How many days the access log is kept.
    type: int
    default: 14
seealso:
  - module: greenlight.deploy.traffic
"""

EXAMPLES = r"""
- name: Serve the application
  greenlight.deploy.nginx_site:
    app: mobile-sync
    domain: sync.example.com
    apps: {app1: 10.0.0.21, app2: 10.0.0.22}
    proxies: [edge1]
    services:
      - {name: web, instances: 2, ports: {blue: 8101, green: 8201}}
    certificate: "{{ lookup('ansible.builtin.file', 'tls/sync.pem') }}"
    key: "{{ lookup('ansible.builtin.file', 'tls/sync.key') }}"
    tester_token: "{{ vault_tester_token }}"
"""

RETURN = r"""
file:
  description: The application's nginx file.
  returned: success
  type: str
  sample: /etc/nginx/conf.d/greenlight-mobile-sync.conf
log:
  description: The access log, one JSON object a line.
  returned: success
  type: str
  sample: /var/log/nginx/mobile-sync-access.json
upstreams:
  description: Where each colour listens.
  returned: success
  type: dict
  sample: {blue: ["10.0.0.21:8101"], green: ["10.0.0.21:8201"]}
certificate:
  description: When the certificate ends.
  returned: success
  type: dict
  sample: {not_after: "Nov 22 12:00:00 2027 GMT", days_left: 365}
reloaded:
  description: Whether nginx had to read its files again.
  returned: success
  type: bool
missing:
  description: Packages that have to be installed first.
  returned: when O(state=checked)
  type: list
  elements: str
  sample: [nginx, logrotate]
enabled:
  description: Whether nginx starts at boot.
  returned: when O(state=checked)
  type: bool
version:
  description: nginx's version. Empty when it is not installed.
  returned: when O(state=present)
  type: str
  sample: 1.22.1
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import listeners
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.ask import ask
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.install import (
    Installation,
    Pair,
    World,
    check_ports,
    usable,
    with_clients_kept,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx import Nginx
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_conf import capacity
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.site import BALANCE, Listen, read_site
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.tls import check_pair

LOGROTATE = Path("/usr/sbin/logrotate")
ARGUMENTS: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "checked"], "default": "present"},
    "app": {"type": "str", "required": True},
    "domain": {"type": "str", "required": True},
    "aliases": {"type": "list", "elements": "str", "default": []},
    "apps": {"type": "dict", "required": True},
    "groups": {"type": "dict", "default": {}},
    "proxies": {"type": "list", "elements": "str", "required": True},
    "services": {"type": "list", "elements": "dict", "required": True},
    "service": {"type": "str", "default": ""},
    "certificate": {"type": "str", "required": True},
    "key": {"type": "str", "required": True, "no_log": True},
    "certificate_days": {"type": "int", "default": 7},
    "tester_token": {"type": "str", "required": True, "no_log": True},
    "sticky": {"type": "list", "elements": "str", "default": ["cookie", "header:X-Device-Id", "address"]},
    "cookie_lifetime": {"type": "int", "default": 2592000},
    "websocket_paths": {"type": "list", "elements": "str", "default": ["/ws/"]},
    "websocket_timeout": {"type": "int", "default": 300},
    "websocket_ping": {"type": "int", "default": 20},
    "timeout": {"type": "int", "default": 30},
    "connect_timeout": {"type": "int", "default": 2},
    "retry_timeout": {"type": "int", "default": 10},
    "retry_unsafe": {"type": "bool", "default": False},
    "max_fails": {"type": "int", "default": 3},
    "fail_timeout": {"type": "int", "default": 5},
    "keepalive": {"type": "int", "default": 0},
    "balance": {"type": "str", "choices": list(BALANCE), "default": BALANCE[0]},
    "body_limit": {"type": "str", "default": "20m"},
    "health_path": {"type": "str", "default": "/health"},
    "connections": {"type": "int", "default": 1000},
    "drain": {"type": "int", "default": 300},
    "load_balancers": {"type": "list", "elements": "str", "default": []},
    "addresses": {"type": "list", "elements": "str", "default": list(Listen().addresses)},
    "http_port": {"type": "int", "default": 80},
    "https_port": {"type": "int", "default": 443},
    "backlog": {"type": "int", "default": 4096},
    "hsts": {"type": "int", "default": 31536000},
    "log_days": {"type": "int", "default": 14},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Check everything first; then, unless only that was asked for, make it so."""
    params, kernel = module.params, Kernel()
    site = usable(read_site(params), kernel)
    least = capacity(
        text.number(params["connections"], "connections", 1, 1_000_000), text.number(params["drain"], "drain", 0, 86400)
    )
    days = text.number(params["log_days"], "log_days", 1, 3650)
    pair = Pair(_with_newline(params["certificate"]), _with_newline(params["key"]))
    certificate = check_pair(pair.certificate, pair.key, site.names, time.time(), params["certificate_days"])
    check_ports(site, listeners())
    layout = Layout(site.app)
    site = with_clients_kept(site, TrafficFiles(layout.traffic))
    result = {
        "file": str(layout.site),
        "log": str(layout.log),
        "upstreams": {colour: list(addresses) for colour, addresses in site.upstreams.items()},
        "certificate": vars(certificate),
        "reloaded": False,
    }
    nginx = Nginx()
    if params["state"] == "checked":
        return {**result, "missing": missing(nginx), "enabled": nginx.enabled()}
    world = World(nginx, kernel, ask)
    return result | Installation(site, pair, layout, least, days, world).run(check=module.check_mode)


def missing(nginx: Nginx) -> list[str]:
    """Packages of programs that are not there."""
    there = {"nginx": nginx.version() is not None, "logrotate": LOGROTATE.exists()}
    return [package for package, found in there.items() if not found]


def _with_newline(pem: str) -> str:
    """The lookup that reads a file takes its last newline away."""
    return pem.rstrip("\n") + "\n"


def main() -> None:
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
