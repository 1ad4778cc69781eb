# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where to connect and whom to ask for there: two things that differ when one instance of many is probed."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_PORTS = {False: 80, True: 443}


@dataclass(frozen=True)
class Endpoint:
    """One address to connect to, and the name that is asked for on that connection.

    ``address`` is an IP address, a host name or the absolute path of a unix socket (``port`` is then ignored).
    ``server_name`` is sent as Host and SNI and is the name that the certificate must carry; empty means ``address``.
    ``ca_file`` is a PEM file of what to trust instead of the system's authorities: other authorities, or the server's
    own certificate. TLS is always verified.
    ``headers`` go with every request and handshake.
    """

    address: str
    port: int
    tls: bool = False
    server_name: str = ""
    ca_file: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def is_unix(self) -> bool:
        """Whether ``address`` is the path of a unix socket."""
        return self.address.startswith("/")

    @property
    def name(self) -> str:
        """The name that is asked for, without a port."""
        return self.server_name or ("localhost" if self.is_unix else self.address)

    @property
    def host(self) -> str:
        """The value of the Host header: ``server_name`` as it is, since a proxy passes it on so; else with the port."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        if self.server_name or self.is_unix or self.port == DEFAULT_PORTS[self.tls]:
            return name
        return f"{name}:{self.port}"

    @property
    def label(self) -> str:
        """A short name for people: ``address:port`` or the path of the socket."""
        return self.address if self.is_unix else f"{self.address}:{self.port}"

    def url(self, path: str, *, websocket: bool = False) -> str:
        """The URL of ``path`` as a person would write it, with the name asked for."""
        scheme = "ws" if websocket else "http"
        return f"{scheme}{'s' if self.tls else ''}://{self.host}{path}"
