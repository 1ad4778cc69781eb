# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to ask a proxy about one application, kept beside the record for root only (``site.json``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.site import Site
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import COLOURS
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.upstreams import LOOPBACK, Upstreams


class NotInstalled(GreenlightError):
    """The application has no file on this proxy."""


@dataclass(frozen=True)
class Contact:
    """``address`` and ``port`` reach this host's own nginx; ``certificate`` is the file that it must show."""

    app: str
    domain: str
    address: str
    port: int
    certificate: str
    token: str
    path: str
    upstreams: Upstreams

    @property
    def server_name(self) -> str:
        """A name that the certificate covers."""
        return self.domain.replace("*", "greenlight")


def contact_of(site: Site, certificate: str) -> Contact:
    """How to ask for this site."""
    address = next((one for one in site.listen.addresses if ":" not in one), site.listen.addresses[0])
    return Contact(
        app=site.app,
        domain=site.domain,
        address={"0.0.0.0": LOOPBACK, "::": "::1"}.get(address, address),  # noqa: S104 - replaced, not bound
        port=site.listen.https,
        certificate=certificate,
        token=site.tester_token,
        path=site.health_path,
        upstreams=site.upstreams,
    )


def render(contact: Contact) -> str:
    """The text of ``site.json``."""
    data: dict[str, Any] = dict(vars(contact))
    data["upstreams"] = {colour: list(addresses) for colour, addresses in contact.upstreams.items()}
    return json.dumps(data, indent=2) + "\n"


def parse(text: str, where: str = "site.json") -> Contact:
    """The contact in ``text``; :class:`NotInstalled` when it is not one."""
    try:
        data: Mapping[str, Any] = json.loads(text)
        upstreams: Upstreams = {colour: tuple(data["upstreams"][colour]) for colour in COLOURS}
        return Contact(**{**data, "upstreams": upstreams, "port": int(data["port"])})
    except (ValueError, KeyError, TypeError) as error:
        raise NotInstalled(
            f"what the role web_proxy left here cannot be read ({error})",
            where=where,
            do="run the role web_proxy again for this proxy",
        ) from None
