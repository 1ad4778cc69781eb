# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.modules import nginx_site
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.pairs import (
    CERTIFICATE,
    KEY,
    OTHER_KEY,
)
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import TOKEN

ARGUMENTS = {
    "state": "checked",
    "app": "mobile-sync",
    "domain": "a.example.com",
    "apps": {"app1": "10.0.0.21"},
    "proxies": ["edge"],
    "services": [{"name": "web", "runner": "daphne", "ports": {"blue": 8101, "green": 8201}}],
    "certificate": CERTIFICATE.rstrip("\n"),
    "key": KEY,
    "tester_token": TOKEN,
}


@pytest.fixture(autouse=True)
def quiet_host(monkeypatch):
    """nginx is not installed, and nothing listens."""
    monkeypatch.setattr(nginx_site, "listeners", list)
    monkeypatch.setattr(nginx_site.Nginx, "enabled", lambda nginx: False)
    monkeypatch.setattr(nginx_site, "missing", lambda nginx: ["nginx"])


def test_a_look_says_what_would_be_served(run_module):
    result = run_module(nginx_site, ARGUMENTS)
    assert not result.failed
    assert (result["changed"], result["missing"], result["enabled"]) == (False, ["nginx"], False)
    assert result["upstreams"] == {"blue": ["10.0.0.21:8101"], "green": ["10.0.0.21:8201"]}
    assert result["certificate"]["days_left"] > 30000
    assert result["file"] == "/etc/nginx/conf.d/greenlight-mobile-sync.conf"


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"domain": "b.example.com"}, "certificate"),
        ({"key": OTHER_KEY}, "key"),
        ({"certificate_days": 40000}, "certificate"),
        ({"domain": "a b"}, "domain"),
        ({"connections": 0}, "connections"),
        ({"drain": -1}, "drain"),
        ({"log_days": 0}, "log_days"),
        ({"tester_token": "short"}, "tester_token"),
        ({"services": [{"name": "web"}]}, "services"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_done(run_module, changed, where):
    result = run_module(nginx_site, {**ARGUMENTS, **changed})
    assert result.failed
    assert result["error"]["where"] == where


def test_a_taken_port(run_module, monkeypatch):
    monkeypatch.setattr(nginx_site, "listeners", lambda: [Listener("*", 443, "caddy", 7, "caddy.service")])
    result = run_module(nginx_site, ARGUMENTS)
    assert "port 443 is taken by caddy (caddy.service)" in result["msg"]


def test_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setattr(nginx_site, "LOGROTATE", tmp_path / "logrotate")
    without = nginx_site.Nginx(lambda command: (127, "not found"))
    assert nginx_site.missing(without) == ["nginx", "logrotate"]
    (tmp_path / "logrotate").touch()
    assert nginx_site.missing(nginx_site.Nginx(lambda command: (0, "nginx/1.22.1"))) == []
