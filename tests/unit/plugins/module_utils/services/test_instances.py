# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services as data."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services import instances

WEB: dict[str, Any] = {
    "name": "web",
    "runner": "daphne",
    "application": "mobile_sync.asgi:application",
    "instances": 2,
    "ports": {"blue": 8101, "green": 8201},
}
WORKER: dict[str, Any] = {
    "name": "worker",
    "runner": "command",
    "command": ["python", "-m", "worker", "--listen", "{address}:{port}"],
    "ports": {"blue": 8301, "green": 8401},
    "probe": False,
}


def test_daphne_listens_on_the_one_address_with_room_for_those_who_come_back():
    (service,) = instances.parse_services([WEB], "10.0.0.21")
    assert service.argv == (
        "daphne", "-e", "tcp:port={port}:interface=10.0.0.21:backlog=4096", "--proxy-headers",
        "mobile_sync.asgi:application",
    )  # fmt: skip


def test_daphne_listens_on_an_ipv6_address():
    (service,) = instances.parse_services([WEB], "fd00::21")
    assert service.argv[2] == r"tcp6:port={port}:interface=fd00\:\:21:backlog=4096"


def test_further_words_come_before_the_application():
    (service,) = instances.parse_services([{**WEB, "arguments": ["--ping-interval", 15]}], "127.0.0.1")
    assert service.argv[-3:] == ("--ping-interval", "15", "mobile_sync.asgi:application")


def test_any_command_learns_its_address():
    (service,) = instances.parse_services([WORKER], "10.0.0.21")
    assert service.argv == ("python", "-m", "worker", "--listen", "10.0.0.21:{port}")
    assert service.instances == 1
    assert not service.probe


def test_an_instance_is_named_for_its_port():
    services = instances.parse_services([WEB, WORKER], "127.0.0.1")
    found = instances.instances_of("mobile-sync", "green", services)
    assert [(each.unit, each.port, each.probe) for each in found] == [
        ("mobile-sync-web-green@8201.service", 8201, True),
        ("mobile-sync-web-green@8202.service", 8202, True),
        ("mobile-sync-worker-green@8401.service", 8401, False),
    ]


def test_the_ports_of_both_colours():
    services = instances.parse_services([WEB, WORKER], "127.0.0.1")
    assert instances.all_ports(services) == (8101, 8102, 8201, 8202, 8301, 8401)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": ""}, "name such as web"),
        ({"name": "Web"}, "name such as web"),
        ({"runner": "guncorn"}, "one of command, daphne"),
        ({"application": "mobile_sync.asgi"}, "package.module:attribute"),
        ({"instances": 0}, "a number from 1"),
        ({"ports": {"blue": 8101}}, "ports.green"),
        ({"ports": {"blue": 80, "green": 8201}}, "ports.blue"),
        ({"ports": {"blue": 8101, "green": 8102}}, "port 8102 is also one of web blue"),
        ({"runner": "command"}, "no command"),
    ],
)
def test_what_cannot_run_is_refused_by_name(change, expected):
    with pytest.raises(InvalidInput) as refused:
        instances.parse_services([{**WEB, **change}], "127.0.0.1")
    assert expected in str(refused.value)


def test_no_service_is_refused():
    with pytest.raises(InvalidInput, match="no service"):
        instances.parse_services([], "127.0.0.1")


def test_two_services_of_one_name_are_refused():
    other = {**WEB, "ports": {"blue": 9101, "green": 9201}}
    with pytest.raises(InvalidInput, match="the same name"):
        instances.parse_services([WEB, other], "127.0.0.1")
