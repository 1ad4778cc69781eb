# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installing on a running nginx: what is refused changes nothing, what is the same reloads nothing."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.install import Refused
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_conf import directives
from ansible_collections.greenlight.deploy.tests.integration.traffic.proxy import APP, DOMAIN, Proxy, make_pair


def contents(proxy: Proxy) -> Mapping[Path, bytes]:
    return {path: path.read_bytes() for path in (proxy.root / "etc").rglob("*") if path.is_file()}


def with_body(proxy: Proxy, size: str) -> None:
    proxy.install(replace(proxy.site, limits=replace(proxy.site.limits, body=size)))


def test_the_same_again_reloads_nothing(proxy: Proxy) -> None:
    workers, before = proxy.workers, contents(proxy)
    result = proxy.install()
    assert (result["changed"], result["reloaded"], result["diff"]) == (False, False, [])
    assert (proxy.workers, contents(proxy)) == (workers, before)


def test_a_changed_text_is_in_force_at_once_and_clients_stay(proxy: Proxy) -> None:
    proxy.shift("blue")
    with_body(proxy, "1k")
    connection = proxy.connect()
    connection.request("POST", "/", body=b"x" * 2000)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_file_that_nginx_refuses_is_taken_back(proxy: Proxy) -> None:
    proxy.shift("blue")
    (proxy.layout.extra.parent / "wrong.conf").write_text("no_such_directive on;\n")
    before = contents(proxy)
    with pytest.raises(Refused, match="no_such_directive"):
        with_body(proxy, "1k")
    assert contents(proxy) == before
    assert proxy.get("/")[0].status == 200


def test_a_reload_that_nginx_gives_up_is_taken_back(proxy: Proxy) -> None:
    """nginx -t does not see that a port is taken; the master logs it and goes on as before."""
    proxy.shift("blue")
    before = contents(proxy)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(NotReady, match="does not act on the new configuration"):
            proxy.install(replace(proxy.site, listen=replace(proxy.site.listen, https=port)))
    assert contents(proxy) == before
    assert proxy.get("/")[0].status == 200
    assert proxy.install()["changed"] is False


def test_a_new_certificate_is_served_and_the_old_one_is_gone(proxy: Proxy) -> None:
    proxy.shift("blue")
    pair = make_pair(proxy.root, [DOMAIN], days=20)
    assert proxy.install(pair=pair)["reloaded"]
    proxy.pair = pair
    assert proxy.get("/")[0].status == 200
    assert len(list(proxy.layout.own.glob("tls-*"))) == 1
    assert (proxy.layout.own / pair.folder / "key.pem").stat().st_mode & 0o777 == 0o600


def test_a_second_application_shares_the_ports(proxy: Proxy) -> None:
    proxy.shift("blue")
    second = Proxy(
        proxy.root,
        replace(proxy.site, app="other", names=("other.example.com",)),
        make_pair(proxy.root, ["other.example.com"]),
        proxy.backends,
    )
    second.install()
    second.shift("green")
    assert b'"colour": "blue"' in proxy.get("/")[1]
    assert second.install()["changed"] is False
    assert proxy.install()["changed"] is False
    texts = {app: (proxy.root / f"etc/nginx/conf.d/greenlight-{app}.conf").read_text() for app in (APP, "other")}
    with_backlog = {
        app: [one for one in directives(text) if one.name == "listen" and "backlog=4096" in one.arguments]
        for app, text in texts.items()
    }
    assert [len(found) for found in with_backlog.values()] == [2, 0]


@pytest.mark.parametrize("length", [46, 47, 110, 111, 253])
def test_a_long_name_finds_its_server(proxy: Proxy, length: int) -> None:
    """The hash of names is only made when a second server listens on the port."""
    proxy.install(replace(proxy.site, names=(DOMAIN, ".".join(["a" * 60] * 5)[:length])))
    other = replace(proxy.site, app="other", names=("other.example.com",))
    Proxy(proxy.root, other, make_pair(proxy.root, ["other.example.com"]), proxy.backends).install()
    assert proxy.get("/")[0].status == 503


def test_only_root_can_read_the_token_and_the_key(proxy: Proxy) -> None:
    for path in (proxy.layout.site, proxy.layout.traffic / "site.json"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_limits_are_raised_and_the_rest_of_nginx_conf_stays(proxy: Proxy) -> None:
    text = proxy.layout.main.read_text()
    assert "worker_connections 1250;" in text
    assert "worker_shutdown_timeout 330s;" in text
    assert "open_file_cache_valid 60s;" in text


def test_a_signal_reopens_the_log(proxy: Proxy) -> None:
    proxy.shift("blue")
    old = proxy.layout.log.rename(proxy.layout.log.with_suffix(".1"))
    subprocess.run(["nginx", "-p", str(proxy.root), "-c", str(proxy.layout.main), "-s", "reopen"], check=True)
    proxy.get("/new")
    assert "/new" not in old.read_text()
