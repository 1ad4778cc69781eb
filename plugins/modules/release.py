# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Build, install or prune the releases of an application on a host
version_added: 0.1.0
author: Greenlight contributors (@greenlight)
extends_documentation_fragment: greenlight.deploy.releases
description:
  - A release is a read-only directory C(<root>/<app>/releases/<id>) with the code of one commit, everything that its
    build made, and a link to a virtual environment that is named for the lock file and the Python that made it.
  - Both are complete only when their manifest C(.greenlight.json) is there, which is written last. What a run leaves
    unfinished it removes on its way out, and the next run removes what a killed one could not.
  - Code, packages, build and verification run as the application's own user, never as root. The result belongs to root.
options:
  state:
    description:
      - V(built) makes the release from a code tarball, unless it is complete already, and packs it for other hosts.
      - V(installed) makes it from the artefact that the build host packed.
      - V(pruned) removes releases that nobody needs any more, and environments without a release.
    type: str
    choices: [built, installed, pruned]
    required: true
  release:
    description: Id of the release. Required unless O(state=pruned).
    type: str
    default: ""
  sha:
    description: Commit of the release. Required unless O(state=pruned).
    type: str
    default: ""
  ref:
    description: Ref that named the commit, for the manifest.
    type: str
    default: ""
  version:
    description: What people call the release. The application sees it as C(GREENLIGHT_VERSION).
    type: str
    default: ""
  fingerprint:
    description: What tells this deployment from another of the same commit, for the manifest.
    type: str
    default: ""
  archive:
    description:
      - Path on the controller of the code tarball with O(state=built), of RV(artefact) with O(state=installed).
      - It is copied to the host and removed again. Not read when the release is complete already.
    type: path
  archive_sha256:
    description: Hash that O(archive) must have.
    type: str
    default: ""
  requirements:
    description:
      - Path in the code of the lock file of the packages. Every package must be pinned with a hash.
      - Empty for an application without packages.
    type: str
    default: requirements.lock
  python:
    description: Interpreter that makes the virtual environment.
    type: str
    default: python3
  user:
    description: The application's own user, who must exist. Defaults to O(app).
    type: str
  environment:
    description: Environment variables of the build and verification commands.
    type: dict
    default: {}
  secrets:
    description: More environment variables, whose values are never shown.
    type: dict
    default: {}
  installer_environment:
    description: Environment variables of pip alone, such as C(PIP_INDEX_URL). Their values are never shown.
    type: dict
    default: {}
  build:
    description:
      - Commands that make more of the release, such as C([[python, manage.py, collectstatic, --noinput]]).
      - They run in the release with O(environment) and O(secrets); C(python) is the release's own.
    type: list
    elements: list
    default: []
  verify:
    description: Commands that must succeed before the release counts as complete.
    type: list
    elements: list
    default: []
  compile_exclude:
    description: Regular expression for the paths of modules that are not compiled, such as templates of code.
    type: str
    default: ""
  artefact:
    description: Directory on the host for the packed release. Chosen by the action plugin when there are O(others).
    type: path
  others:
    description:
      - Results of M(greenlight.deploy.release_info) of the hosts that wait for the release.
      - It is packed for them, without what all have, and brought to the controller.
    type: list
    elements: dict
    default: []
  timeout:
    description: Seconds for each command.
    type: float
    default: 300
  install_timeout:
    description: Seconds for the installation of the packages.
    type: float
    default: 900
  keep:
    description: How many of the newest releases stay with O(state=pruned).
    type: int
    default: 5
  protect:
    description:
      - Ids of releases that stay with O(state=pruned). Those of both colours always do, and those that
        M(greenlight.deploy.retirement) keeps installed.
    type: list
    elements: str
    default: []
attributes:
  action:
    description: Has an action plugin, which brings archives to the host and back to the controller.
    support: full
  async:
    description: Can run with C(async).
    support: partial
    details: Not when other hosts wait for the release.
  check_mode:
    description: Can run in C(check_mode) and say whether it would build, install or remove anything.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: none
"""

EXAMPLES = r"""
- name: Build the release
  greenlight.deploy.release:
    app: mobile-sync
    state: built
    release: 20261122T124500Z-1a2b3c4
    sha: 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d
    version: v2.0.0-sync
    archive: "{{ source.archive }}"
    build:
      - [python, manage.py, collectstatic, --noinput]
    verify:
      - [python, manage.py, check, --deploy, --fail-level, WARNING]

- name: Keep five releases
  greenlight.deploy.release:
    app: mobile-sync
    state: pruned
    keep: 5
    protect: [20261120T101500Z-9f8e7d6]
"""

RETURN = r"""
release:
  description: Id of the release.
  returned: when O(state) is not V(pruned)
  type: str
sha:
  description: Its commit.
  returned: when O(state) is not V(pruned)
  type: str
path:
  description: Its directory.
  returned: when O(state) is not V(pruned)
  type: str
  sample: /opt/mobile-sync/releases/20261122T124500Z-1a2b3c4
environment:
  description: Key of its virtual environment. Empty in check mode when the release is not there yet.
  returned: when O(state) is not V(pruned)
  type: str
  sample: 9f1c22ab03de-py3.11
environment_reused:
  description: Whether that environment had been there before.
  returned: when O(state) is not V(pruned)
  type: bool
tree_sha256:
  description: Hash of its names, permissions and contents.
  returned: when O(state) is not V(pruned)
  type: str
bytes:
  description: Size of its files.
  returned: when O(state) is not V(pruned)
  type: int
python:
  description: Version of Python that its environment was made with.
  returned: when O(state) is not V(pruned)
  type: str
  sample: 3.11.2
lock_sha256:
  description: Hash of its lock file.
  returned: when O(state) is not V(pruned)
  type: str
artefact:
  description: Path of the packed release on the controller, until the run ends. Empty when no other host waits for it.
  returned: when O(state) is V(built)
  type: str
artefact_sha256:
  description: Hash of the packed release.
  returned: when O(state) is V(built)
  type: str
artefact_bytes:
  description: Size of the packed release.
  returned: when O(state) is V(built)
  type: int
artefact_holds:
  description: Parts that were packed, of C(release) and C(environment).
  returned: when O(state) is V(built)
  type: list
  elements: str
seconds:
  description: Seconds that each part of the work took.
  returned: when O(state) is not V(pruned)
  type: dict
  sample: {extract: 0.1, environment: 21.4, compile: 0.6, build: 1.2, verify: 1.1}
removed:
  description: Directories that were removed; half-built ones of earlier runs in every state.
  returned: always
  type: list
  elements: str
kept:
  description: Releases that stayed, oldest first.
  returned: when O(state) is V(pruned)
  type: list
  elements: str
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build import shipping
from ansible_collections.greenlight.deploy.plugins.module_utils.build.builder import Builder, Built, Order
from ansible_collections.greenlight.deploy.plugins.module_utils.build.interruption import ended_by_signals
from ansible_collections.greenlight.deploy.plugins.module_utils.build.secrecy import take_secrets
from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import (
    ReleaseManifest,
    require_release,
    require_sha,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.retire.host import Kept

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "root": {"type": "path", "default": "/opt"},
    "state": {"type": "str", "choices": ["built", "installed", "pruned"], "required": True},
    "release": {"type": "str", "default": ""},
    "sha": {"type": "str", "default": ""},
    "ref": {"type": "str", "default": ""},
    "version": {"type": "str", "default": ""},
    "fingerprint": {"type": "str", "default": ""},
    "archive": {"type": "path"},
    "archive_sha256": {"type": "str", "default": ""},
    "requirements": {"type": "str", "default": "requirements.lock"},
    "python": {"type": "str", "default": "python3"},
    "user": {"type": "str"},
    "environment": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "installer_environment": {"type": "dict", "default": {}, "no_log": True},
    "build": {"type": "list", "elements": "list", "default": []},
    "verify": {"type": "list", "elements": "list", "default": []},
    "compile_exclude": {"type": "str", "default": ""},
    "artefact": {"type": "path"},
    "others": {"type": "list", "elements": "dict", "default": []},
    "timeout": {"type": "float", "default": 300},
    "install_timeout": {"type": "float", "default": 900},
    "keep": {"type": "int", "default": 5},
    "protect": {"type": "list", "elements": "str", "default": []},
}
CONDITIONS = [
    ("state", "built", ("release", "sha", "archive")),
    ("state", "installed", ("release", "sha", "archive")),
]


def converge(module: AnsibleModule) -> dict[str, Any]:
    """Bring the store to the wanted state."""
    secrets = {option: take_secrets(module, option) for option in ("secrets", "installer_environment")}
    wanted = {**module.params, **secrets}
    store = Store(wanted["app"], wanted["root"])
    if wanted["state"] == "pruned":
        return _prune(store, wanted, check=module.check_mode)
    require_release(wanted["release"], require_sha(wanted["sha"]))
    if module.check_mode:
        return _would(store, wanted)
    with ended_by_signals(), store.lock():
        swept = [str(path) for path in store.sweep()]
        result = _build(store, wanted) if wanted["state"] == "built" else _install(store, wanted)
    return {**result, "removed": swept, "changed": result["changed"] or bool(swept)}


def _prune(store: Store, wanted: dict[str, Any], *, check: bool) -> dict[str, Any]:
    protected = [*wanted["protect"], *Kept(store.app).now(time.time())]
    if check:
        plan, _paths = store.prune(wanted["keep"], protected)
    else:
        with ended_by_signals(), store.lock():
            plan, paths = store.prune(wanted["keep"], protected)
            store.remove(paths)
    return {"changed": bool(plan.removed), "removed": list(plan.removed), "kept": list(plan.kept)}


def _would(store: Store, wanted: dict[str, Any]) -> dict[str, Any]:
    found = store.release(wanted["release"], wanted["sha"])
    shown = _shown(store, found) if found else {"release": wanted["release"], "sha": wanted["sha"]}
    nothing = {"environment": "", "artefact": "", "artefact_sha256": "", "artefact_bytes": 0, "artefact_holds": []}
    return {**nothing, **shown, "changed": found is None, "seconds": {}, "removed": []}


def _build(store: Store, wanted: dict[str, Any]) -> dict[str, Any]:
    found = store.release(wanted["release"], wanted["sha"])
    built = Built(found, environment_reused=True, seconds={}) if found else Builder(store, _order(wanted)).build()
    result = {
        **_shown(store, built.manifest),
        "changed": found is None,
        "environment_reused": built.environment_reused,
        "seconds": built.seconds,
    }
    parts = shipping.lacking(built.manifest, wanted["others"]) if wanted["artefact"] else ()
    if not parts:
        return {**result, "artefact": "", "artefact_sha256": "", "artefact_bytes": 0, "artefact_holds": []}
    packed = shipping.pack(store, built.manifest, Path(wanted["artefact"]), parts)
    return {
        **result,
        "artefact": str(packed.path),
        "artefact_sha256": packed.sha256,
        "artefact_bytes": packed.bytes,
        "artefact_holds": list(packed.holds),
    }


def _install(store: Store, wanted: dict[str, Any]) -> dict[str, Any]:
    found = store.release(wanted["release"], wanted["sha"])
    known = {each.key for each in store.environments()}
    manifest = found or shipping.install(
        store,
        wanted["release"],
        wanted["sha"],
        Path(wanted["archive"]),
        wanted["archive_sha256"],
        wanted["python"],
    )
    reused = manifest.environment in known
    return {**_shown(store, manifest), "changed": found is None, "environment_reused": reused, "seconds": {}}


def _order(wanted: dict[str, Any]) -> Order:
    return Order(
        release=wanted["release"],
        sha=wanted["sha"],
        ref=wanted["ref"],
        version=wanted["version"] or wanted["ref"],
        fingerprint=wanted["fingerprint"],
        archive=Path(wanted["archive"]),
        archive_sha256=wanted["archive_sha256"],
        requirements=wanted["requirements"],
        python=wanted["python"],
        user=wanted["user"] or wanted["app"],
        environment={str(name): str(value) for name, value in wanted["environment"].items()},
        secrets=wanted["secrets"],
        installer_environment=wanted["installer_environment"],
        build=[[str(word) for word in argv] for argv in wanted["build"]],
        verify=[[str(word) for word in argv] for argv in wanted["verify"]],
        compile_exclude=wanted["compile_exclude"],
        timeout=wanted["timeout"],
        install_timeout=wanted["install_timeout"],
    )


def _shown(store: Store, manifest: ReleaseManifest) -> dict[str, Any]:
    return {
        "release": manifest.release,
        "sha": manifest.sha,
        "path": str(store.release_path(manifest.release)),
        "environment": manifest.environment,
        "tree_sha256": manifest.tree_sha256,
        "bytes": manifest.bytes,
        "python": manifest.python,
        "lock_sha256": manifest.lock_sha256,
    }


def main() -> None:
    """Run the module."""
    run(converge, ARGUMENTS, required_if=CONDITIONS)


if __name__ == "__main__":
    main()
