# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of the lab: who they are, where they live, what runs on them."""

from __future__ import annotations

from dataclasses import dataclass

from tools.console import Trouble

NETWORK = "gl-lab"
SUBNET = "10.99.77.0/24"


@dataclass(frozen=True)
class Host:
    """One host: its ``address`` in :data:`SUBNET`, its image's ``kind``, whether it holds the databases."""

    name: str
    address: str
    kind: str = "full"
    data: bool = False

    @property
    def mac(self) -> str:
        """Its hardware address: always the same, so that neighbours find a host that was made anew at once."""
        return "02:67:" + ":".join(f"{int(part):02x}" for part in self.address.split("."))


_ALL = (
    Host("gl-edge", "10.99.77.11"),
    Host("gl-edge2", "10.99.77.12"),
    Host("gl-app1", "10.99.77.21"),
    Host("gl-app2", "10.99.77.22"),
    Host("gl-app3", "10.99.77.23"),
    Host("gl-data", "10.99.77.31", data=True),
    Host("gl-one", "10.99.77.41", data=True),
    Host("gl-stage", "10.99.77.42", data=True),
    Host("gl-bare", "10.99.77.51", kind="base"),
)
HOSTS = {host.name: host for host in _ALL}
USUAL = ("gl-edge", "gl-app1", "gl-app2", "gl-data")


def find(names: list[str]) -> list[Host]:
    """Return the hosts of these names, the four usual ones for no names."""
    unknown = [name for name in names if name not in HOSTS]
    if unknown:
        raise Trouble(f"The lab has no host {', '.join(unknown)}.", f"It has {', '.join(HOSTS)}.")
    return [HOSTS[name] for name in names or USUAL]
