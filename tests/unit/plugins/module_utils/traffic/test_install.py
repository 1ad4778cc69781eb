# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput, NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.install import (
    Installation,
    Pair,
    Refused,
    World,
    check_ports,
    usable,
    with_clients_kept,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_conf import Capacity
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.site import Listen
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import NONE, parse_state
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Answer
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import SITE, TOKEN

MAIN = "user nobody;\nevents { worker_connections 768; }\n"
LEAST = Capacity(2500, 65535, 330)
PAIR = Pair("certificate\n", "very secret\n")


@dataclass
class FakeHost:
    """nginx, the kernel and the clock of a host; nginx acts on the site file of the moment of its last reload."""

    root: Path
    installed: bool = True
    running: bool = True
    complaint: str = ""
    gives_up: bool = False
    acts_on: str = ""
    calls: list[str] = field(default_factory=list)
    now: float = 0.0

    @property
    def layout(self) -> Layout:
        return Layout(SITE.app, self.root)

    def world(self) -> World:
        return World(self, self, self.ask, lambda: self.now, self.sleep, patience=3.0)  # type: ignore[arg-type]

    def version(self):
        return (1, 22, 1) if self.installed else None

    def files(self):
        return {}

    def problem(self):
        text = self.layout.site.read_text() if self.layout.site.exists() else ""
        return self.complaint if self.complaint and self.complaint in text else ""

    def reload(self):
        self.calls.append("reload")
        if not self.gives_up:
            self.acts_on = self.layout.site.read_text() if self.layout.site.exists() else ""

    def start(self):
        self.calls.append("start")
        self.running = True
        self.acts_on = self.layout.site.read_text()

    def nginx_running(self):
        return self.running

    def nginx_file_limit(self):
        return None

    def has_ipv6(self):
        return False

    def ask(self, contact, path, client_class, seconds):
        if not self.running or contact.token not in self.acts_on:
            return Answer(0, {}, "no answer")
        site_id = self.acts_on.partition("gl_mobile_sync_shown_site {")[2].partition("default ")[2].partition(";")[0]
        return Answer(204, {"x-greenlight-site": site_id})

    def sleep(self, seconds):
        self.now += seconds

    def install(self, site=SITE, pair=PAIR, *, check=False) -> dict[str, Any]:
        return Installation(site, pair, self.layout, LEAST, 14, self.world()).run(check=check)


@pytest.fixture
def host(root: Path) -> FakeHost:
    made = FakeHost(root)
    made.layout.main.parent.mkdir(parents=True)
    made.layout.main.write_text(MAIN)
    made.layout.main.chmod(0o644)
    return made


def contents(host: FakeHost) -> dict[str, bytes]:
    files = (path for path in (host.root / "etc").rglob("*") if path.is_file())
    return {str(path.relative_to(host.root)): path.read_bytes() for path in files}


def test_a_new_application_is_served_by_nobody_yet(host):
    result = host.install()
    assert (result["changed"], result["reloaded"], host.calls) == (True, True, ["reload"])
    files = TrafficFiles(host.layout.traffic)
    assert (files.state(), files.contact().token) == (NONE, TOKEN)
    assert "worker_connections 2500;" in host.layout.main.read_text()
    assert host.layout.site.stat().st_mode & 0o777 == 0o600
    assert (host.layout.own / PAIR.folder / "key.pem").stat().st_mode & 0o777 == 0o600
    assert host.layout.log.stat().st_mode & 0o777 == 0o640


def test_the_same_again_does_nothing(host):
    host.install()
    before = contents(host)
    result = host.install()
    assert (result["changed"], result["reloaded"], result["diff"], host.calls) == (False, False, [], ["reload"])
    assert contents(host) == before


def test_nothing_secret_is_shown(host):
    host.install()
    result = host.install(replace(SITE, tester_token="another-token-of-a-tester"), Pair("other\n", "more secret\n"))
    shown = str(result)
    assert "proxy_pass" in shown
    assert not [secret for secret in (TOKEN, "another-token", "very secret", "more secret") if secret in shown]


def test_check_mode_shows_and_does_nothing(host):
    before = contents(host)
    result = host.install(check=True)
    assert (result["changed"], result["reloaded"], host.calls) == (True, False, [])
    assert contents(host) == before
    assert not host.layout.traffic.exists()


def test_check_mode_needs_no_nginx(host):
    host.layout.main.unlink()
    host.installed = host.running = False
    assert host.install(check=True)["version"] == ""


def test_without_nginx_nothing_is_written(host):
    host.installed = False
    with pytest.raises(InvalidInput, match="nginx is not installed"):
        host.install()
    assert list(contents(host)) == ["etc/nginx/nginx.conf"]


def test_nginx_is_started_when_it_does_not_run(host):
    host.running = False
    assert host.install()["reloaded"]
    assert host.calls == ["start"]


def test_files_that_were_written_but_never_read_are_put_in_force(host):
    host.install()
    host.acts_on = ""
    assert host.install()["reloaded"]
    assert host.calls == ["reload", "reload"]


def test_what_nginx_refuses_is_taken_back(host):
    host.install()
    before = contents(host)
    host.complaint = "other.example.com"
    with pytest.raises(Refused, match="nginx refuses the configuration: other") as caught:
        host.install(replace(SITE, names=("other.example.com",)), Pair("new\n", "new\n"))
    assert "before this change" not in str(caught.value)
    assert contents(host) == before
    assert TrafficFiles(host.layout.traffic).contact().domain == "sync.example.com"
    assert PAIR.folder in host.acts_on


def test_what_was_refused_before_is_said_to_be(host):
    host.install()
    host.complaint = "proxy_pass"
    with pytest.raises(Refused, match="refused it before this change too"):
        host.install(replace(SITE, names=("other.example.com",)))


def test_nothing_stays_of_a_first_installation_that_is_refused(host):
    before = contents(host)
    host.complaint = "proxy_pass"
    with pytest.raises(Refused):
        host.install()
    assert contents(host) == before
    assert not TrafficFiles(host.layout.traffic).installed()


def test_a_reload_that_nginx_gives_up_is_taken_back(host):
    host.install()
    before = contents(host)
    host.gives_up = True
    with pytest.raises(NotReady, match="does not act on the new configuration after 3 s"):
        host.install(replace(SITE, names=("other.example.com",)))
    assert contents(host) == before
    assert host.now == pytest.approx(3.0, abs=0.2)


def test_a_new_pair_has_a_new_folder_and_the_old_one_goes(host):
    host.install()
    pair = Pair("certificate\n", "new key\n")
    assert host.install(pair=pair)["reloaded"]
    assert [path.name for path in host.layout.own.glob("tls-*")] == [pair.folder]
    assert pair.folder in host.acts_on


def test_a_log_that_is_kept_longer_reloads_nothing(host):
    host.install()
    result = Installation(SITE, PAIR, host.layout, LEAST, 30, host.world()).run(check=False)
    assert (result["changed"], result["reloaded"]) == (True, False)
    assert "rotate 30" in host.layout.logrotate.read_text()


def test_ipv6_is_left_out_on_a_host_without_it(host):
    assert usable(SITE, host).listen.addresses == ("0.0.0.0",)
    with pytest.raises(InvalidInput, match="no IPv6"):
        usable(replace(SITE, listen=Listen(("::",))), host)


NEW = {"blue": ("10.0.0.99:1",), "green": ("10.0.0.99:2",)}
OLD = SITE.upstreams


@pytest.mark.parametrize(
    ("state", "blue", "green"),
    [("none", NEW, NEW), ("blue", OLD, NEW), ("green", NEW, OLD), ("green-10", OLD, OLD), ("green-100", OLD, OLD)],
)
def test_a_colour_that_has_clients_keeps_its_addresses(host, state, blue, green):
    host.install()
    files = TrafficFiles(host.layout.traffic)
    files.switch(parse_state(state))
    kept = with_clients_kept(replace(SITE, upstreams=NEW), files)
    assert kept.upstreams == {"blue": blue["blue"], "green": green["green"]}


def test_without_a_readable_site_there_is_nothing_to_keep(host):
    wanted = replace(SITE, upstreams=NEW)
    files = TrafficFiles(host.layout.traffic)
    assert with_clients_kept(wanted, files) == wanted
    host.install()
    files.switch(parse_state("blue"))
    (files.directory / "site.json").write_text("{")
    assert with_clients_kept(wanted, files) == wanted


NGINX, APACHE = ("nginx", 7), ("apache2", 8)


@pytest.mark.parametrize(
    ("addresses", "listener", "problem"),
    [
        (("0.0.0.0",), Listener("0.0.0.0", 80, *NGINX), ""),
        (("0.0.0.0",), Listener("0.0.0.0", 8080, *APACHE), ""),
        (("10.0.0.1",), Listener("127.0.0.1", 80, *APACHE), ""),
        (
            ("0.0.0.0",),
            Listener("*", 80, *APACHE, "apache2.service"),
            r"port 80 is taken by apache2 \(apache2.service\)",
        ),
        (("10.0.0.1",), Listener("10.0.0.1", 443, *APACHE), r"port 443 is taken by apache2 \(pid 8\) on 10.0.0.1"),
        (("0.0.0.0",), Listener("127.0.0.1", 443, *APACHE), "port 443 is taken"),
        (("10.0.0.1",), Listener("::", 443, "", 0), "a program that cannot be seen"),
    ],
)
def test_a_port_of_another_program_is_refused(addresses, listener, problem):
    site = replace(SITE, listen=Listen(addresses))
    if not problem:
        check_ports(site, [listener])
        return
    with pytest.raises(InvalidInput, match=problem):
        check_ports(site, [listener])
