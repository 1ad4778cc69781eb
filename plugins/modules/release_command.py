#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_command
short_description: Run commands of the application in a release
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: [greenlight.deploy.releases, greenlight.deploy.release_process]
description:
  - Runs commands one after the other in the directory of a complete release, as the application's own user, with the
    environment that its services get. The first that fails ends it.
  - Made to fill caches before the first client comes. The release itself cannot be written to.
options:
  commands:
    description: Programs with their arguments. C(python) is the release's own interpreter.
    type: list
    elements: list
    required: true
  timeout:
    description: Seconds for each command.
    type: float
    default: 300
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status without running anything.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: none
"""

EXAMPLES = r"""
- name: Fill the caches
  greenlight.deploy.release_command:
    app: mobile-sync
    release: 20261122T124500Z-1a2b3c4
    colour: green
    commands:
      - [python, manage.py, warm_cache, --tenants, all]
    environment: "{{ greenlight_environment }}"
    secrets: "{{ greenlight_secrets }}"
"""

RETURN = r"""
results:
  description: Each command that was run, its seconds and the last lines that it printed.
  returned: always
  type: list
  elements: dict
  sample: [{command: [python, manage.py, warm_cache], seconds: 1.2, said: 240 entries}]
"""

import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Account, Context, in_release
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import run as run_command
from ansible_collections.greenlight.deploy.plugins.module_utils.build.output import redact, tail
from ansible_collections.greenlight.deploy.plugins.module_utils.build.secrecy import take_secrets
from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.services.environment import process_environment

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "release": {"type": "str", "required": True},
    "version": {"type": "str", "default": ""},
    "colour": {"type": "str", "default": ""},
    "commands": {"type": "list", "elements": "list", "required": True},
    "environment": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "user": {"type": "str"},
    "root": {"type": "path", "default": "/opt"},
    "timeout": {"type": "float", "default": 300.0},
}


def context_of(module: AnsibleModule) -> Context:
    """Where and how the commands run; :class:`InvalidInput` when the release is not there or not complete."""
    wanted, secrets = module.params, take_secrets(module, "secrets")
    store = Store(wanted["app"], wanted["root"])
    if store.release(wanted["release"]) is None:
        raise InvalidInput(
            f"release {wanted['release']} is not complete on this host",
            where=str(store.release_path(wanted["release"])),
            expected="an installed release",
        )
    names = ("app", "colour", "release", "version", "environment")
    return in_release(
        store.release_path(wanted["release"]),
        process_environment(**{name: wanted[name] for name in names}, secrets=secrets),
        Path("/var/lib/greenlight", wanted["app"], "application"),
        account=Account.of(wanted["user"] or wanted["app"]),
        secrets=tuple(secrets.values()),
        timeout=wanted["timeout"],
    )


def run_one(command: list[Any], context: Context) -> dict[str, Any]:
    """Run one command and say how it went."""
    began = time.monotonic()
    said = run_command([str(word) for word in command], context, what="command in the release")
    return {
        "command": command,
        "seconds": round(time.monotonic() - began, 2),
        "said": redact(tail(said), context.secrets),
    }


def act(module: AnsibleModule) -> dict[str, Any]:
    """Run every command, or none in check mode."""
    context, commands = context_of(module), module.params["commands"]
    results = [] if module.check_mode else [run_one(command, context) for command in commands]
    return {"changed": bool(commands), "results": results}


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
