#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: retirement
short_description: Keep a colour that was left running for a while, then stop it
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.releases
description:
  - Run it on each application host when the other colour has all clients. A timer of the host stops the instances of
    the colour that was left after O(hot) seconds, without a controller, also after a reboot.
  - C(systemctl list-timers 'greenlight-*') shows it, O(state=cancelled) or stopping the timer ends it. A colour that
    somebody is still connected to is not stopped but looked at again a minute later.
  - The colour's release stays installed for O(installed) seconds however many releases come after it, so that going
    back to it needs no build.
  - M(greenlight.deploy.app_instances) cancels it when it starts the colour again.
attributes:
  check_mode:
    support: full
    description: Says what would change.
  diff_mode:
    support: none
    description: Will return details on what has changed when in diff mode.
options:
  colour:
    description: The colour that was left.
    type: str
    choices: [blue, green]
    required: true
  state:
    description:
      - V(scheduled) has the colour stopped later. When it waits already, the earlier time counts.
      - V(cancelled) lets it run on. A colour that was stopped stays stopped.
      - V(revived) also starts it when it was stopped, as it was installed, and does not wait until it is ready.
      - V(present) only tells what there is.
    type: str
    choices: [scheduled, cancelled, revived, present]
    default: present
  hot:
    description: Seconds until the colour is stopped.
    type: int
    default: 1800
  installed:
    description: Seconds that its release stays installed.
    type: int
    default: 86400
  services:
    description: The services, as in M(greenlight.deploy.app_instances). Required for V(scheduled) and V(revived).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Keep blue for half an hour
  greenlight.deploy.retirement:
    app: mobile-sync
    colour: blue
    state: scheduled
    hot: 1800
    installed: 86400
    services: "{{ greenlight_application.services }}"

- name: Blue serves again
  greenlight.deploy.retirement:
    app: mobile-sync
    colour: blue
    state: revived
    services: "{{ greenlight_application.services }}"
"""

RETURN = r"""
retirement:
  description: What is known, null when nothing is.
  returned: success
  type: dict
  sample:
    app: mobile-sync
    colour: blue
    release: 20261121T090000Z-7f3c2aa
    units: [mobile-sync-web-blue@8101.service]
    ports: [8101]
    state: scheduled
    stop_at: 1795352400.0
    installed_until: 1795437000.0
started:
  description: The units that were started.
  returned: success
  type: list
  elements: str
sentence:
  description: The same for people.
  returned: success
  type: str
  sample: >-
    blue is stopped in 1800 s, at 2026-11-22T13:00:00Z; 20261121T090000Z-7f3c2aa stays installed until
    2026-11-23T12:30:00Z
"""

import time
from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.retire import plan
from ansible_collections.greenlight.deploy.plugins.module_utils.retire.host import Retirements
from ansible_collections.greenlight.deploy.plugins.module_utils.retire.plan import Retirement
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import instances_of, parse_services
from ansible_collections.greenlight.deploy.plugins.module_utils.services.systemd import Systemd
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text

STOP_SECONDS = 30.0
ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "colour": {"type": "str", "choices": ["blue", "green"], "required": True},
    "state": {"type": "str", "choices": ["scheduled", "cancelled", "revived", "present"], "default": "present"},
    "hot": {"type": "int", "default": 1800},
    "installed": {"type": "int", "default": 86400},
    "services": {"type": "list", "elements": "dict", "default": []},
    "root": {"type": "path", "default": "/opt"},
}
NEEDS_SERVICES = [("state", state, ("services",)) for state in ("scheduled", "revived")]


def wished(wanted: dict[str, Any], now: float) -> Retirement:
    """The retirement that the task asks for."""
    app, colour = text.app_name(wanted["app"]), wanted["colour"]
    instances = instances_of(app, colour, parse_services(wanted["services"], "127.0.0.1"))
    hot = text.number(wanted["hot"], "hot", 0, 366 * 86400)
    return Retirement(
        app=app,
        colour=colour,
        release=Store(app, wanted["root"]).colours()[colour],
        units=tuple(instance.unit for instance in instances),
        ports=tuple(instance.port for instance in instances),
        state=plan.SCHEDULED,
        stop_at=now + max(float(hot), plan.SOONEST),
        installed_until=now + text.number(wanted["installed"], "installed", 0, 366 * 86400),
    )


def act(module: AnsibleModule) -> dict[str, Any]:
    """Bring the retirement of the colour to the wanted state."""
    wanted, now = module.params, time.time()
    retirements = Retirements(text.app_name(wanted["app"]), Systemd(STOP_SECONDS))
    check = module.check_mode
    changed, started = False, []
    if wanted["state"] == "scheduled":
        changed = retirements.schedule(wished(wanted, now), now, check=check)
    elif wanted["state"] == "cancelled":
        changed = retirements.cancel(wanted["colour"], check=check)
    elif wanted["state"] == "revived":
        changed, started = retirements.revive(wanted["colour"], wished(wanted, now).units, check=check)
    known = retirements.of(wanted["colour"])
    return {
        "changed": changed,
        "started": started,
        "retirement": asdict(known) if known else None,
        "sentence": plan.describe(known, time.time()),
    }


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS, required_if=NEEDS_SERVICES)


if __name__ == "__main__":
    main()
