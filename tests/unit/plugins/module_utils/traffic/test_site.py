# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.site import read_site
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import SITE, site_options


def test_the_defaults_of_the_module_are_those_of_the_data():
    assert read_site(site_options()) == SITE


@pytest.mark.parametrize(
    ("sticky", "sources", "cookie"),
    [
        (["address"], ("$remote_addr",), False),
        (["cookie", "address"], ("$remote_addr",), True),
        (
            ["cookie", "header:X-User-Id", "cookie:sessionid", "address"],
            ("$http_x_user_id", "$cookie_sessionid", "$remote_addr"),
            True,
        ),
    ],
)
def test_what_tells_clients_apart(sticky, sources, cookie):
    site = read_site(site_options(sticky=sticky))
    assert (site.key_sources, site.cookie) == (sources, cookie)


@pytest.mark.parametrize(
    ("paths", "outermost"),
    [
        (["/ws/", "/ws/sync"], ("/ws/",)),
        (["/ws", "/ws/sync", "/wsx"], ("/ws", "/wsx")),
        (["/a/", "/b/"], ("/a/", "/b/")),
        (["/", "/a/"], ("/",)),
        ([], ()),
    ],
)
def test_paths_below_another_need_no_place_of_their_own(paths, outermost):
    assert read_site(site_options(websocket_paths=paths)).websocket_paths == outermost


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"app": "Mobile Sync"}, "app"),
        ({"domain": "sync.example.com;"}, "domain"),
        ({"aliases": ["sync.example.com"]}, "aliases"),
        ({"aliases": ["no name"]}, "aliases"),
        ({"apps": {}}, "apps"),
        ({"services": []}, "services"),
        ({"tester_token": "short"}, "tester_token"),
        ({"sticky": []}, "sticky"),
        ({"sticky": ["cookie"]}, "sticky"),
        ({"sticky": ["address", "cookie"]}, "sticky"),
        ({"sticky": ["header:X-A", "cookie", "address"]}, "sticky"),
        ({"sticky": ["header:X-A", "header:X-a", "address"]}, "sticky"),
        ({"sticky": ["header:", "address"]}, "sticky"),
        ({"sticky": ["header:X A", "address"]}, "sticky"),
        ({"sticky": ["user", "address"]}, "sticky"),
        ({"websocket_paths": ["ws"]}, "websocket_paths"),
        ({"websocket_timeout": 40}, "websocket_timeout"),
        ({"websocket_ping": 150}, "websocket_timeout"),
        ({"timeout": 0}, "timeout"),
        ({"connect_timeout": 76}, "connect_timeout"),
        ({"max_fails": -1}, "max_fails"),
        ({"body_limit": "lots"}, "body_limit"),
        ({"health_path": "health"}, "health_path"),
        ({"load_balancers": ["10.0.0.1/24"]}, "load_balancers"),
        ({"addresses": []}, "addresses"),
        ({"addresses": ["*"]}, "addresses"),
        ({"http_port": 443}, "http_port and https_port"),
        ({"https_port": 0}, "https_port"),
        ({"backlog": 100000}, "backlog"),
        ({"hsts": -1}, "hsts"),
    ],
)
def test_what_is_wrong_is_named(changed, where):
    with pytest.raises(InvalidInput) as caught:
        read_site(site_options(**changed))
    assert caught.value.where == where
