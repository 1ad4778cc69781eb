# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's own table of TCP sockets (``/proc/net/tcp``, ``tcp6``), read without any program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import COLOURS, Colour
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.upstreams import Upstreams

ESTABLISHED = 1


@dataclass(frozen=True)
class Socket:
    """``local`` and ``peer`` are ``address:port``, IPv6 in brackets; ``state`` is the kernel's number."""

    local: str
    peer: str
    state: int


def parse_table(text: str) -> Iterator[Socket]:
    """The sockets of one table; its first line is the heading."""
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 3:
            yield Socket(_place(fields[1]), _place(fields[2]), int(fields[3], 16))


def _place(field: str) -> str:
    """``0100007F:1F90`` -> ``127.0.0.1:8080``: words of 32 bits, each in the order of a little-endian machine."""
    digits, _colon, port = field.partition(":")
    words = bytes.fromhex(digits)
    packed = b"".join(words[start : start + 4][::-1] for start in range(0, len(words), 4))
    address = ip_address(packed)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return f"[{address}]:{int(port, 16)}" if address.version == 6 else f"{address}:{int(port, 16)}"


def live(sockets: Iterable[Socket], upstreams: Upstreams) -> dict[Colour, dict[str, int]]:
    """Established connections to each upstream address of each colour (the proxy's side of each)."""
    counts: dict[str, int] = {}
    for socket in sockets:
        if socket.state == ESTABLISHED:
            counts[socket.peer] = counts.get(socket.peer, 0) + 1
    return {colour: {address: counts.get(address, 0) for address in upstreams[colour]} for colour in COLOURS}


def totals(sockets: Mapping[Colour, Mapping[str, int]]) -> dict[Colour, int]:
    """Connections per colour."""
    return {colour: sum(addresses.values()) for colour, addresses in sockets.items()}


def percentages(live_sockets: Mapping[Colour, int]) -> dict[Colour, float] | None:
    """Each colour's share of the live sockets in percent, None when there is no socket."""
    every = sum(live_sockets.values())
    return {colour: round(100 * count / every, 1) for colour, count in live_sockets.items()} if every else None
