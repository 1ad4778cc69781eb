# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several tests of this package start from."""

from __future__ import annotations

from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.site import Site

TOKEN = "unit-test-token-0123456789"
UPSTREAMS = {"blue": ("10.0.0.21:8101",), "green": ("10.0.0.21:8201",)}
SITE = Site("mobile-sync", ("sync.example.com",), UPSTREAMS, TOKEN)
CONTACT = Contact(
    "mobile-sync", "sync.example.com", "127.0.0.1", 443, "/etc/certificate.pem", TOKEN, "/health", UPSTREAMS
)


def site_options(**changed: Any) -> dict[str, Any]:
    """The options of the module nginx_site that describe a site, with its defaults."""
    return {
        "app": "mobile-sync",
        "domain": "sync.example.com",
        "aliases": [],
        "apps": {"app1": "10.0.0.21"},
        "groups": {},
        "proxies": ["edge"],
        "services": [{"name": "web", "ports": {"blue": 8101, "green": 8201}}],
        "service": "",
        "tester_token": TOKEN,
        "sticky": ["cookie", "header:X-Device-Id", "address"],
        "cookie_lifetime": 2592000,
        "websocket_paths": ["/ws/"],
        "websocket_timeout": 300,
        "websocket_ping": 20,
        "timeout": 30,
        "connect_timeout": 2,
        "retry_timeout": 10,
        "retry_unsafe": False,
        "max_fails": 3,
        "fail_timeout": 5,
        "keepalive": 0,
        "balance": "round_robin",
        "body_limit": "20m",
        "health_path": "/health",
        "load_balancers": [],
        "addresses": ["0.0.0.0", "::"],
        "http_port": 80,
        "https_port": 443,
        "backlog": 4096,
        "hsts": 31536000,
        **changed,
    }
