# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of units."""

from __future__ import annotations

import configparser

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services import units
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import Service

SERVICE = Service(
    name="web",
    argv=("daphne", "-e", "tcp:port={port}:interface=10.0.0.21:backlog=4096", "mobile_sync.asgi:application"),
    instances=2,
    ports={"blue": 8101, "green": 8201},
)
ORDER = units.UnitOrder(
    app="mobile-sync",
    colour="blue",
    user="mobile-sync",
    home="/opt/mobile-sync",
    environment_file="/etc/greenlight/mobile-sync/blue.env",
    connections=1000,
    stop_timeout=30.0,
)


def parsed(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return parser


def test_the_unit_of_a_service():
    unit = parsed(units.service_unit(ORDER, SERVICE))
    assert unit["Service"]["Type"] == "exec"
    assert unit["Service"]["User"] == "mobile-sync"
    assert unit["Service"]["WorkingDirectory"] == "/opt/mobile-sync/blue"
    assert unit["Service"]["EnvironmentFile"] == "/etc/greenlight/mobile-sync/blue.env"
    assert unit["Service"]["ExecStart"] == (
        "/opt/mobile-sync/blue/venv/bin/daphne -e tcp:port=%i:interface=10.0.0.21:backlog=4096 "
        "mobile_sync.asgi:application"
    )
    assert unit["Service"]["Restart"] == "always"
    assert unit["Service"]["TimeoutStopSec"] == "30"
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_it_is_started_again_however_often_it_fails():
    unit = parsed(units.service_unit(ORDER, SERVICE))
    assert (unit["Unit"]["StartLimitIntervalSec"], unit["Service"]["RestartSec"]) == ("0", "2")


def test_daphne_cannot_notify():
    assert "Type=notify" not in units.service_unit(ORDER, SERVICE)


@pytest.mark.parametrize(
    "line",
    ["NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes",
     "CapabilityBoundingSet=", "SystemCallFilter=@system-service", "MemoryDenyWriteExecute=yes", "UMask=0077",
     "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"],
)  # fmt: skip
def test_it_is_hardened(line):
    assert line in units.service_unit(ORDER, SERVICE).splitlines()


def test_it_writes_in_its_state_directory_alone():
    text = units.service_unit(ORDER, SERVICE)
    assert "StateDirectory=greenlight/mobile-sync/application\n" in text
    assert "ReadWritePaths" not in text


def test_it_waits_for_the_packet_filter_when_there_is_one():
    guarded = units.UnitOrder(**{**vars(ORDER), "firewall_unit": "greenlight-mobile-sync-firewall.service"})
    assert "greenlight-mobile-sync-firewall.service" in parsed(units.service_unit(guarded, SERVICE))["Unit"]["After"]
    assert "firewall" not in units.service_unit(ORDER, SERVICE)


def test_given_directives_win():
    order = units.UnitOrder(**{**vars(ORDER), "directives": {"MemoryMax": "512M", "MemoryDenyWriteExecute": "no"}})
    text = units.service_unit(order, SERVICE)
    assert "MemoryMax=512M\n" in text
    assert text.count("MemoryDenyWriteExecute=") == 1
    assert "MemoryDenyWriteExecute=no\n" in text


@pytest.mark.parametrize("directives", [{"memory max": "1"}, {"MemoryMax": "1\nExecStart=/bin/sh"}, {"": "x"}])
def test_what_is_no_directive_is_refused(directives):
    with pytest.raises(InvalidInput, match="directive"):
        units.service_unit(units.UnitOrder(**{**vars(ORDER), "directives": directives}), SERVICE)


@pytest.mark.parametrize(("connections", "limit"), [(0, 65535), (1000, 65535), (16384, 65536), (50000, 200000)])
def test_open_files_follow_the_wanted_sockets(connections, limit):
    assert units.descriptors(connections) == limit


@pytest.mark.parametrize(
    ("argv", "line"),
    [
        (("/usr/bin/env", "a"), "/usr/bin/env a"),
        (("python", "-m", "worker"), "/opt/app/blue/venv/bin/python -m worker"),
        (("x", "two words"), '/opt/app/blue/venv/bin/x "two words"'),
        (("x", 'a"b'), r'/opt/app/blue/venv/bin/x "a\"b"'),
        (("x", "a\\:b"), r'/opt/app/blue/venv/bin/x "a\\:b"'),
        (("x", "50%"), '/opt/app/blue/venv/bin/x "50%%"'),
        (("x", "$HOME"), '/opt/app/blue/venv/bin/x "$$HOME"'),
        (("x", ""), '/opt/app/blue/venv/bin/x ""'),
        (("x", ";"), '/opt/app/blue/venv/bin/x ";"'),
        (("x", "{port}"), "/opt/app/blue/venv/bin/x %i"),
        (("x", "on {port} %"), '/opt/app/blue/venv/bin/x "on %i %%"'),
    ],
)
def test_a_command_is_written_as_systemd_reads_it(argv, line):
    assert units.exec_line(argv, "/opt/app/blue") == line


def test_a_word_of_two_lines_is_refused():
    with pytest.raises(InvalidInput, match="one line"):
        units.exec_line(("x", "a\nb"), "/opt/app/blue")


def test_our_own_units_are_known_by_their_first_line():
    assert units.service_unit(ORDER, SERVICE).startswith(units.marker("mobile-sync", "web", "blue"))
    assert units.marker("sync", "admin-web", "blue") != units.marker("sync-admin", "web", "blue")


def test_the_packet_filter_comes_back_with_the_users_own_ruleset():
    unit = parsed(units.firewall_unit("mobile-sync", "/etc/greenlight/mobile-sync/firewall.nft"))
    assert unit["Unit"]["PartOf"] == unit["Unit"]["ReloadPropagatedFrom"] == "nftables.service"
    assert unit["Service"]["ExecStart"] == "/usr/sbin/nft --file /etc/greenlight/mobile-sync/firewall.nft"
    assert unit["Service"]["ExecStop"].endswith("delete table inet greenlight_mobile_sync")
