# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the operator ordered for one colour, and what the host must therefore hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import require_release
from ansible_collections.greenlight.deploy.plugins.module_utils.services import environment as environments
from ansible_collections.greenlight.deploy.plugins.module_utils.services import firewall, units
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import (
    Service,
    all_ports,
    instances_of,
    template_name,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.services.plan import Wanted


@dataclass(frozen=True)
class Order:
    """A colour that is to be started; the fields are the options of the module ``app_instances``.

    ``home`` is the application's directory with releases and links, ``configuration`` the one below /etc.
    """

    app: str
    colour: str
    release: str
    version: str
    user: str
    services: tuple[Service, ...]
    address: str
    home: str
    configuration: str
    proxies: tuple[str, ...] = ()
    firewall: bool = True
    environment: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, object] = field(default_factory=dict)
    connections: int = 1000
    stop_timeout: float = 30.0
    directives: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment_file(self) -> str:
        """The file with the environment of all instances, secrets among them."""
        return f"{self.configuration}/{self.colour}.env"

    @property
    def guarded(self) -> bool:
        """Whether a packet filter is wanted; :class:`InvalidInput` when the address is none to listen on."""
        return not firewall.is_loopback(self.address) and self.firewall

    def rules(self) -> str:
        """The packet filter's rules, empty where none are wanted."""
        return firewall.rules(self.app, all_ports(self.services), self._allowed) if self.guarded else ""

    def chain(self) -> str:
        """The chain that is there when the rules are in force, empty where none are wanted."""
        return firewall.chain_name(all_ports(self.services), self._allowed) if self.guarded else ""

    def wanted(self) -> Wanted:
        """Release, files and instances; :class:`InvalidInput` when one of them cannot be."""
        templates = self._templates()
        environment = environments.process_environment(
            app=self.app,
            colour=self.colour,
            release=require_release(self.release),
            version=self.version,
            environment=self.environment,
            secrets=self.secrets,
        )
        fingerprint = environments.fingerprint(environment, list(templates.values()))
        text = environments.environment_file({**environment, environments.FINGERPRINT: fingerprint})
        running = instances_of(self.app, self.colour, self.services)
        return Wanted(self.release, text, templates, fingerprint, running)

    @property
    def _allowed(self) -> list[str]:
        return [self.address, *self.proxies]

    def _templates(self) -> dict[str, str]:
        order = units.UnitOrder(
            app=self.app,
            colour=self.colour,
            user=self.user,
            home=self.home,
            environment_file=self.environment_file,
            connections=self.connections,
            stop_timeout=self.stop_timeout,
            firewall_unit=units.firewall_unit_name(self.app) if self.guarded else "",
            directives=self.directives,
        )
        return {
            template_name(self.app, service.name, self.colour): units.service_unit(order, service)
            for service in self.services
        }
