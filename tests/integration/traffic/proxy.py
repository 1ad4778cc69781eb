# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real nginx of our own below a temporary directory, on loopback ports, and clients for it."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import ask as asking
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.install import Installation, Pair, World
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx import Nginx
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_conf import capacity
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.site import Limits, Listen, Site
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.switch import Wish, carry_out
from ansible_collections.greenlight.deploy.tests.integration.traffic.backend import Backend

APP, DOMAIN, TOKEN = "my-app", "app.example.com", "integration-token-0123456789"
WAIT_SECONDS = 10.0
WORKERS = 2


@dataclass
class Proxy:
    """nginx below ``root``; ``backends`` by colour."""

    root: Path
    site: Site
    pair: Pair
    backends: dict[str, Backend]
    layout: Layout = field(init=False)
    nginx: Nginx = field(init=False)

    def __post_init__(self) -> None:
        self.layout = Layout(self.site.app, self.root)
        self.nginx = Nginx(command=("nginx", "-p", str(self.root), "-c", str(self.layout.main)))

    @property
    def files(self) -> TrafficFiles:
        return TrafficFiles(self.layout.traffic)

    @property
    def workers(self) -> set[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return {int(pid) for pid in children.split()}

    @property
    def pid(self) -> int:
        return int((self.root / "nginx.pid").read_text())

    def install(self, site: Site | None = None, pair: Pair | None = None) -> dict[str, Any]:
        world = World(self.nginx, Kernel(), asking.ask, patience=4.0)
        installation = Installation(site or self.site, pair or self.pair, self.layout, capacity(500, 300), 14, world)
        return installation.run(check=False)

    def shift(self, colour: str, share: int | None = None, **more: Any) -> dict[str, Any]:
        wish = Wish(colour=colour, share=share, settle=share is None and colour != "none", **more)
        return carry_out(self.files, lambda contact, asked: asking.find_out(contact, asked, 5), wish, "now")

    def connect(self) -> HTTPSConnection:
        """A verified TLS connection for several requests."""
        context = ssl.create_default_context(cadata=self.pair.certificate)
        connection = _ByAddress(DOMAIN, self.site.listen.https, context=context, timeout=10)
        connection.connect()
        return connection

    def get(self, path: str = "/", **headers: str) -> tuple[HTTPResponse, bytes]:
        """One request on a connection of its own; ``X_Device_Id=`` becomes the header X-Device-Id."""
        connection = self.connect()
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def websocket(self, client_class: str) -> WebSocket:
        """An open WebSocket of a client of this class."""
        connection = self.connect()
        connection.request(
            "GET",
            "/ws/test",
            headers={
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw==",
                "Cookie": f"greenlight_class={client_class}",
            },
        )
        wire = connection.sock
        received = b""
        while b"\r\n\r\n" not in received or not received.partition(b"\r\n\r\n")[2]:
            received += wire.recv(4096)
        assert received.startswith(b"HTTP/1.1 101 ")
        return WebSocket(connection, received.partition(b"\r\n\r\n")[2][2:].decode())


@dataclass(frozen=True)
class WebSocket:
    """``hello`` is the colour that answered."""

    connection: HTTPSConnection
    hello: str

    def close(self) -> None:
        self.connection.close()


class _ByAddress(HTTPSConnection):
    """Goes to 127.0.0.1 whatever the name says."""

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _number in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def make_pair(folder: Path, names: Sequence[str], days: int = 30) -> Pair:
    """A self-signed certificate for these names."""
    certificate, key = folder / "made.pem", folder / "made.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", f"/CN={names[0]}", "-days", str(days), "-out", str(certificate), "-keyout", str(key)]
    command += ["-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)]
    subprocess.run(command, check=True, capture_output=True)
    return Pair(certificate.read_text(), key.read_text())


def make_site(ports: Sequence[int], backends: dict[str, Backend], **more: Any) -> Site:
    upstreams = {colour: (f"127.0.0.1:{backend.port}",) for colour, backend in backends.items()}
    listen = Listen(("127.0.0.1",), ports[0], ports[1])
    site = Site(APP, (DOMAIN,), upstreams, TOKEN, listen=listen, limits=Limits(fail_timeout=1))
    return replace(site, **more)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, "did not come true in time"
        time.sleep(0.02)


MAIN = """\
{user}
pid {root}/nginx.pid;
error_log {root}/error.log notice;
worker_processes {workers};
events {{
    worker_connections 768;
}}
http {{
    access_log {root}/access.log;
    client_body_temp_path {root}/tmp;
    proxy_temp_path {root}/tmp;
    fastcgi_temp_path {root}/tmp;
    uwsgi_temp_path {root}/tmp;
    scgi_temp_path {root}/tmp;
    open_file_cache max=100 inactive=60s;
    open_file_cache_valid 60s;
    include {root}/etc/nginx/conf.d/*.conf;
}}
"""
