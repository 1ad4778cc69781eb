#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: django_migration_info
short_description: What a release knows of the migrations of its database
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
extends_documentation_fragment:
  - greenlight.deploy.read_only
  - greenlight.deploy.releases
  - greenlight.deploy.release_process
description:
  - Asks the release's own code, in its own interpreter, which migrations it has and which of them are applied.
  - A migration that is applied and that the release does not have was brought by another release. Code of before it may
    be unable to use the database.
options:
  database:
    description: Alias of the database in Django's settings.
    type: str
    default: default
  timeout:
    description: Seconds for the whole run.
    type: float
    default: 60
seealso:
  - module: greenlight.deploy.django_migration
"""

EXAMPLES = r"""
- name: Can the version of before use the database as it is now?
  greenlight.deploy.django_migration_info:
    app: mobile-sync
    release: 20261121T090000Z-7f3c2aa
    environment: "{{ greenlight_environment }}"
    secrets: "{{ greenlight_secrets }}"
"""

RETURN = r"""
unknown:
  description: Migrations that are applied and that the release does not have.
  returned: success
  type: list
  elements: str
  sample: [core.0010_sync_idempotency_record]
pending:
  description: Migrations of the release that are not applied.
  returned: success
  type: list
  elements: str
applied:
  description: How many of its migrations are applied.
  returned: success
  type: int
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.build.secrecy import take_secrets
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.django import converse, request_of
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import pending
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "release": {"type": "str", "required": True},
    "version": {"type": "str", "default": ""},
    "colour": {"type": "str", "default": ""},
    "database": {"type": "str", "default": "default"},
    "environment": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "user": {"type": "str"},
    "root": {"type": "path", "default": "/opt"},
    "timeout": {"type": "float", "default": 60.0},
}


def act(module: AnsibleModule) -> dict[str, Any]:
    """Ask the release."""
    secrets = take_secrets(module, "secrets")
    with converse(request_of(module.params, secrets), lock=False) as conversation:
        graph = conversation.graph()
    return {
        "unknown": list(conversation.unknown),
        "pending": pending(graph),
        "applied": sum(migration.applied for migration in graph.values()),
    }


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
