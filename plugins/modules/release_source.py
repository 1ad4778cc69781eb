# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release_source
short_description: Turn a repository and a ref into one commit and one archive
version_added: 0.1.0
author: Greenlight contributors (@greenlight)
description:
  - Reads a Git repository with the controller's own git and finds the one commit that a ref names now.
    Annotated tags are peeled.
  - Keeps a bare mirror of each repository and one tarball of each commit in a cache, so that every host of a fleet
    gets the same code and a second run is fast.
  - Run it once, on the controller, with C(delegate_to=localhost).
  - A user and password in the repository's URL go to git through its environment and are never shown.
options:
  repository:
    description: URL or path of the repository, as the controller's git reads it.
    type: str
    required: true
  ref:
    description: Tag, branch, or commit of at least seven digits.
    type: str
    required: true
  state:
    description:
      - V(archived) finds the commit and makes the tarball.
      - V(resolved) only finds the commit.
    type: str
    choices: [archived, resolved]
    default: archived
  cache:
    description: Directory on the controller for mirrors and tarballs.
    type: path
    default: ~/.cache/greenlight
  release:
    description:
      - Id of a release that exists already and is to be used again. It must belong to the commit that O(ref) names.
      - A new id is made of the time and the commit when it is empty.
    type: str
    default: ""
  requirements:
    description:
      - Path in the repository of the lock file of the application's packages.
      - When given, the file must exist, and every package in it must be pinned with a hash.
      - Versions that are known not to go together are warned of.
    type: str
    default: ""
  timeout:
    description: Seconds for each git command, and for the wait for another run.
    type: float
    default: 120
attributes:
  check_mode:
    description: Can run in C(check_mode); the ref is looked up in the repository, mirror and tarball stay as they are.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: none
"""

EXAMPLES = r"""
- name: Find the commit and make its archive
  greenlight.deploy.release_source:
    repository: https://git.example.com/sync/mobile-sync.git
    ref: v2.0.0-sync
    requirements: requirements.lock
  delegate_to: localhost
  run_once: true
  become: false
  register: source
"""

RETURN = r"""
sha:
  description: The commit.
  returned: always
  type: str
  sample: 1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d
short_sha:
  description: The first seven digits of the commit.
  returned: always
  type: str
  sample: 1a2b3c4
ref:
  description: The ref that was asked for.
  returned: always
  type: str
  sample: v2.0.0-sync
kind:
  description: What kind of ref it is, one of C(tag), C(branch) and C(commit).
  returned: always
  type: str
  sample: tag
version:
  description: The ref, or the abbreviated commit when a commit was asked for.
  returned: always
  type: str
  sample: v2.0.0-sync
committed:
  description: When the commit was made, in UTC. Empty in check mode as long as the mirror does not have the commit.
  returned: always
  type: str
  sample: "2026-11-20T09:12:44Z"
release:
  description: Id of the release, and of the deployment that brings it.
  returned: always
  type: str
  sample: 20261122T124500Z-1a2b3c4
archive:
  description: Path of the tarball on the controller. Empty when none was wanted.
  returned: always
  type: str
  sample: /root/.cache/greenlight/0f3a9c2b7d114e55/archives/1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d.tar.gz
archive_sha256:
  description: Hash of the tarball.
  returned: always
  type: str
archive_bytes:
  description: Size of the tarball.
  returned: always
  type: int
lock:
  description:
    - What the lock file says.
    - Empty when O(requirements) is not given, or in check mode as long as the mirror does not have the commit.
  returned: always
  type: dict
  contains:
    path:
      description: Path in the repository.
      returned: when there is a lock
      type: str
    sha256:
      description: Hash of the requirements without comments.
      returned: when there is a lock
      type: str
    key:
      description: The first twelve digits of the hash, by which environments are named.
      returned: when there is a lock
      type: str
    packages:
      description: Version of each package, by its normalized name.
      returned: when there is a lock
      type: dict
"""

from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build.git import Source
from ansible_collections.greenlight.deploy.plugins.module_utils.build.requirements import parse_lock, troubles
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import (
    SHORT_SHA,
    make_release_id,
    require_release,
)

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

ARGUMENTS: dict[str, Any] = {
    "repository": {"type": "str", "required": True},
    "ref": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["archived", "resolved"], "default": "archived"},
    "cache": {"type": "path", "default": "~/.cache/greenlight"},
    "release": {"type": "str", "default": ""},
    "requirements": {"type": "str", "default": ""},
    "timeout": {"type": "float", "default": 120},
}


def find(module: AnsibleModule) -> dict[str, Any]:
    """Resolve, read the lock file, and archive unless that is not wanted; warn of versions that do not go together."""
    found = _find(module)
    for trouble in troubles(found["lock"].get("packages", {})):
        module.warn(trouble)
    return found


def _find(module: AnsibleModule) -> dict[str, Any]:
    wanted = module.params
    source = Source(wanted["repository"], Path(wanted["cache"]), wanted["timeout"])
    module.no_log_values.update(source.repository.secrets)
    if module.check_mode:
        return _describe(source, wanted, source.look(wanted["ref"]), check=True)
    with source.lock():
        found = _describe(source, wanted, source.resolve(wanted["ref"]), check=False)
        if wanted["state"] == "resolved":
            return found
        archive = source.archive(found["sha"])
    return {
        **found,
        "changed": archive.new,
        "archive": str(archive.path),
        "archive_sha256": archive.sha256,
        "archive_bytes": archive.bytes,
    }


def _describe(source: Source, wanted: dict[str, Any], ref: Any, *, check: bool) -> dict[str, Any]:
    now = datetime.now(timezone.utc)
    release = wanted["release"]
    return {
        "sha": ref.sha,
        "short_sha": ref.sha[:SHORT_SHA],
        "ref": wanted["ref"],
        "kind": ref.kind,
        "version": ref.sha[:SHORT_SHA] if ref.kind == "commit" else ref.name,
        "committed": source.committed(ref.sha),
        "release": require_release(release, ref.sha) if release else make_release_id(now, ref.sha),
        "archive": "",
        "archive_sha256": "",
        "archive_bytes": 0,
        "lock": _lock(source, ref.sha, wanted["requirements"], check=check),
    }


def _lock(source: Source, sha: str, path: str, *, check: bool) -> dict[str, Any]:
    if not path or (check and not source.committed(sha)):
        return {}
    text = source.read(sha, path)
    if text is None:
        raise InvalidInput(
            f"commit {sha[:SHORT_SHA]} has no file {path}",
            where=source.repository.shown,
            expected="a lock file of the application's packages, pinned with hashes",
            do="commit one, or set greenlight_requirements to its path",
        )
    lock = parse_lock(text, path)
    return {"path": path, "sha256": lock.sha256, "key": lock.sha256[:12], "packages": lock.packages}


def main() -> None:
    """Run the module."""
    run(find, ARGUMENTS)


if __name__ == "__main__":
    main()
