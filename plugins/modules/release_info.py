# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: See which releases of an application a host has
version_added: 0.1.0
author: Greenlight contributors (@greenlight)
extends_documentation_fragment: [greenlight.deploy.read_only, greenlight.deploy.releases]
description:
  - Lists complete releases, virtual environments, the release of each colour, and what was left half-built.
  - Says what the host lacks for a release, of packages and the application's own user.
  - Changes nothing.
options:
  release:
    description: Id of the release that RV(complete) is about.
    type: str
    default: ""
  packages:
    description: Names of system packages that RV(missing) is about.
    type: list
    elements: str
    default: []
  user:
    description: Name of the user that RV(account) is about.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: See which releases are there
  greenlight.deploy.release_info:
    app: mobile-sync
  register: found
"""

RETURN = r"""
complete:
  description: Whether O(release) is there and complete.
  returned: always
  type: bool
releases:
  description: The manifests of all complete releases, oldest first.
  returned: always
  type: list
  elements: dict
  sample: [{release: 20261122T124500Z-1a2b3c4, version: v2.0.0-sync, environment: 9f1c22ab03de-py3.11}]
environments:
  description: The manifests of all complete virtual environments, by key.
  returned: always
  type: list
  elements: dict
  sample: [{key: 9f1c22ab03de-py3.11, python: 3.11.2, machine: x86_64}]
colours:
  description: The release that each colour points to, empty where there is none.
  returned: always
  type: dict
  sample: {blue: 20261122T124500Z-1a2b3c4, green: ""}
half_built:
  description: Directories that an earlier run left unfinished and that the next run will remove.
  returned: always
  type: list
  elements: str
free_bytes:
  description: Free space for new releases.
  returned: always
  type: int
missing:
  description: Those of O(packages) that are not installed.
  returned: always
  type: list
  elements: str
account:
  description: Home and shell of O(user), empty when there is no such user.
  returned: always
  type: dict
  sample: {home: /var/lib/greenlight/mobile-sync/application, shell: /usr/sbin/nologin}
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build.host import account, missing_packages
from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store
from ansible_collections.greenlight.deploy.plugins.module_utils.build.tree import free_bytes
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "root": {"type": "path", "default": "/opt"},
    "release": {"type": "str", "default": ""},
    "packages": {"type": "list", "elements": "str", "default": []},
    "user": {"type": "str", "default": ""},
}


def look(module: AnsibleModule) -> dict[str, Any]:
    """Everything that the store knows."""
    store = Store(module.params["app"], module.params["root"])
    return {
        "complete": store.release(module.params["release"]) is not None,
        "releases": [asdict(each) for each in store.releases()],
        "environments": [asdict(each) for each in store.environments()],
        "colours": store.colours(),
        "half_built": [str(path) for path in store.half_built()],
        "free_bytes": free_bytes(store.home),
        "missing": missing_packages(module.params["packages"]),
        "account": account(module.params["user"]),
    }


def main() -> None:
    """Run the module."""
    run(look, ARGUMENTS)


if __name__ == "__main__":
    main()
