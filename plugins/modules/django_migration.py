#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: django_migration
short_description: Bring a database forward by an ordered list of Django migrations
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment: greenlight.deploy.releases
description:
  - Plans all targets first, in one process of the release's own interpreter, then applies them in their order.
  - Forward only. A target that is applied already is left as it is, whatever came after it; nothing is ever unapplied,
    so that a second run changes nothing.
  - Refuses a target that does not exist, one that is listed twice, and an order that contradicts the dependencies,
    before anything is applied.
  - On PostgreSQL one process migrates at a time (advisory lock), and statements have a lock timeout and a statement
    timeout.
options:
  release:
    description: Id of the release whose code and interpreter are used. It must be complete on this host.
    type: str
    required: true
  version:
    description: Version that the release calls itself, for the environment of the process.
    type: str
    default: ""
  colour:
    description: Colour that the release will have, for the environment of the process.
    type: str
    default: ""
  targets:
    description: >-
      Targets in order, as C(app.name). Empty means every pending migration, in the order of the dependencies.
    type: list
    elements: str
    default: []
  database:
    description: Alias of the database in Django's settings.
    type: str
    default: default
  environment:
    description: Settings of the application.
    type: dict
    default: {}
  secrets:
    description: Secret settings of the application.
    type: dict
    default: {}
  user:
    description: Account that runs it. The application's own by default.
    type: str
  lock_wait:
    description: Seconds to wait for another process that migrates.
    type: float
    default: 60
  lock_timeout:
    description: Seconds that a statement may wait for a lock.
    type: float
    default: 2
  statement_timeout:
    description: Seconds that a statement may take.
    type: float
    default: 900
  timeout:
    description: Seconds for the whole run.
    type: float
    default: 3600
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the plan without applying it.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: full
"""

EXAMPLES = r"""
- name: Bring the database forward
  greenlight.deploy.django_migration:
    app: mobile-sync
    release: 20261122T124500Z-1a2b3c4
    targets:
      - core.0014_sync_device_health
      - voice_recognition.0001_voice_verification_log
    environment: "{{ greenlight_environment }}"
    secrets: "{{ greenlight_secrets }}"
"""

RETURN = r"""
plan:
  description: Each target with the migrations that it needs.
  returned: always
  type: list
  elements: dict
  sample: [{target: core.0014_sync_device_health, migrations: [core.0014_sync_device_health]}]
applied:
  description: Targets that were applied, with their seconds.
  returned: always
  type: list
  elements: dict
  sample: [{target: core.0014_sync_device_health, seconds: 0.041}]
not_listed:
  description: Migrations that are pending and that no target asks for.
  returned: always
  type: list
  elements: str
irreversible:
  description: Migrations of the plan that cannot be undone by a reverse migration.
  returned: always
  type: list
  elements: str
invalid_indexes:
  description: Indexes that are not valid after the run.
  returned: when something was applied
  type: list
  elements: str
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.build.secrecy import take_secrets
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.django import (
    Conversation,
    converse,
    request_of,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import pending, plan
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "release": {"type": "str", "required": True},
    "version": {"type": "str", "default": ""},
    "colour": {"type": "str", "default": ""},
    "targets": {"type": "list", "elements": "str", "default": []},
    "database": {"type": "str", "default": "default"},
    "environment": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "user": {"type": "str"},
    "root": {"type": "path", "default": "/opt"},
    "lock_wait": {"type": "float", "default": 60.0},
    "lock_timeout": {"type": "float", "default": 2.0},
    "statement_timeout": {"type": "float", "default": 900.0},
    "timeout": {"type": "float", "default": 3600.0},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Plan every target, then apply what is due."""
    secrets, wanted = take_secrets(module, "secrets"), module.params
    with converse(request_of(wanted, secrets), lock=not module.check_mode) as conversation:
        graph = conversation.graph()
        steps = plan(graph, wanted["targets"])
        due = [step.target for step in steps if step.migrations]
        names = [name for step in steps for name in step.migrations]
        result = {
            "changed": bool(due),
            "plan": [asdict(step) for step in steps],
            "not_listed": [name for name in pending(graph) if name not in names],
            "irreversible": [name for name in names if not graph[name].reversible],
            "applied": [],
            "diff": {"before": "", "after": "".join(f"{name}\n" for name in names)},
        }
        if due and not module.check_mode:
            result.update(outcome(conversation, due))
    return result


def outcome(conversation: Conversation, targets: Sequence[str]) -> dict[str, Any]:
    """Apply the targets; what was applied, and which indexes are not valid now."""
    *applied, end = conversation.apply(targets)
    if end["invalid_indexes"]:
        raise CommandFailed(
            f"indexes are not valid: {', '.join(end['invalid_indexes'])}",
            where="migrations",
            expected="every index valid and ready",
            do="REINDEX INDEX CONCURRENTLY each of them, then deploy again",
        )
    return {
        "applied": [{"target": message["target"], "seconds": message["seconds"]} for message in applied],
        "invalid_indexes": [],
    }


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
