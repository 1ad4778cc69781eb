# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import ipaddress
import os

import pytest
import yaml

from tools import hosts, lab, settle
from tools.console import Trouble
from tools.image import Image, find_mirror
from tools.places import ROOT

ROW = {
    "Names": ["gl-app1"],
    "Image": Image(13, "full").name,
    "State": "running",
    "Pid": os.getpid(),
    "Labels": {lab.OWNER_LABEL: str(ROOT)},
    "Id": "0123456789abcdef",
    "StartedAt": 1767225600,
}
APP1 = hosts.HOSTS["gl-app1"]


def test_molecule_reaches_every_host_at_its_address():
    inventory = yaml.safe_load((ROOT / "molecule/shared/inventory/hosts.yml").read_text())
    assert inventory["all"]["vars"]["lab_addresses"] == {name: host.address for name, host in hosts.HOSTS.items()}


def test_every_address_is_in_the_network_and_none_is_given_twice():
    addresses = [ipaddress.ip_address(host.address) for host in hosts.HOSTS.values()]
    assert len(set(addresses)) == len(addresses)
    assert all(address in ipaddress.ip_network(hosts.SUBNET) for address in addresses)


def test_an_unknown_host_is_named():
    with pytest.raises(Trouble, match="no host gl-ap1"):
        hosts.find(["gl-ap1"])


def test_a_host_keeps_its_release_until_another_one_is_asked_for():
    seen = lab.Seen.of(ROW)
    assert lab.wanted_image(APP1, seen, None).debian == 13
    assert lab.wanted_image(APP1, seen, 12).debian == 12
    assert lab.wanted_image(APP1, None, None).debian == 12


def test_an_image_knows_its_own_name_and_no_other():
    assert Image.parse(Image(13, "base").name) == Image(13, "base")
    assert Image.parse("docker.io/library/debian:12") is None


def test_up_means_this_boot_of_this_image(monkeypatch):
    seen = lab.Seen.of(ROW)
    monkeypatch.setattr(lab, "settled", lambda: {"gl-app1": seen.boot})
    assert lab.is_up(APP1, seen, None)
    assert not lab.is_up(APP1, seen, 12)
    assert not lab.is_up(APP1, None, None)
    assert not lab.is_up(APP1, lab.Seen.of({**ROW, "State": "exited"}), None)
    assert not lab.is_up(APP1, lab.Seen.of({**ROW, "StartedAt": 1767225999}), None)


def test_a_host_whose_processes_were_killed_does_not_run():
    seen = lab.Seen.of({**ROW, "Pid": 2**30})
    assert (seen.running, seen.lost) == (False, True)
    assert lab.is_unfit(seen, Image(13, "full"))


def test_what_was_made_for_another_checkout_or_image_is_made_anew():
    assert not lab.is_unfit(lab.Seen.of(ROW), Image(13, "full"))
    assert lab.is_unfit(lab.Seen.of(ROW), Image(12, "full"))
    assert lab.is_unfit(lab.Seen.of({**ROW, "Labels": {lab.OWNER_LABEL: "/elsewhere"}}), Image(13, "full"))


def test_hosts_of_another_living_checkout_are_left_alone(tmp_path):
    (tmp_path / "dev").touch()
    theirs = [lab.Seen.of({**ROW, "Labels": {lab.OWNER_LABEL: str(tmp_path)}})]
    with pytest.raises(Trouble, match="belongs to the checkout"):
        lab.refuse_strangers(theirs)
    lab.refuse_strangers([dataclasses.replace(theirs[0], running=False)])
    (tmp_path / "dev").unlink()
    lab.refuse_strangers(theirs)


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ("default via 10.0.2.2 dev eth0\n10.0.2.0/24 dev eth0 proto kernel", ""),
        ("10.99.0.0/16 dev tun0 scope link", "10.99.0.0/16 dev tun0 scope link"),
        ("10.99.77.9 dev wg0", "10.99.77.9 dev wg0"),
        ("blackhole 10.1.0.0/16\nunreachable 10.2.0.1", ""),
    ],
)
def test_a_route_that_takes_our_addresses_is_found(routes, expected):
    assert lab.overlapping(routes, hosts.SUBNET) == expected


def test_folders_in_which_pip_looks_are_shown_to_the_hosts(tmp_path):
    index = tmp_path / "index" / "simple"
    wheels = tmp_path / "wheels"
    index.mkdir(parents=True)
    wheels.mkdir()
    settings = f"[global]\nextra-index-url = file://{index}\nfind-links = {wheels}\ncert = /nowhere/ca.crt\n"
    assert lab.local_indexes(settings) == [str(tmp_path / "index"), str(wheels)]


@pytest.mark.parametrize(
    ("system", "sources", "expected"),
    [
        ("ID=debian", "Types: deb\nURIs: http://mirror.example/debian\n", "http://mirror.example/debian"),
        ("ID=debian", "deb [signed-by=/k] https://mirror.example/d bookworm main\n", "https://mirror.example/d"),
        ("ID=debian", "", ""),
        ("ID=ubuntu", "URIs: http://mirror.example/ubuntu\n", ""),
    ],
)
def test_the_image_comes_from_the_mirror_that_a_debian_uses_itself(system, sources, expected):
    assert find_mirror(system, sources) == expected


def test_secrets_reach_a_host_over_standard_input_only():
    passwords = {"database_password": "PG-SECRET", "redis_password": "REDIS-SECRET"}
    script = settle.databases(hosts.HOSTS["gl-data"], passwords)
    carriers = [line for line in script.splitlines() if "SECRET" in line]
    assert carriers == ["requirepass REDIS-SECRET", "ALTER ROLE mobile_sync PASSWORD 'PG-SECRET';"]
    arguments = lab.run_arguments(APP1, Image(12, "full"), [])
    assert not any("SECRET" in word for word in arguments)
