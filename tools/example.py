# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A git repository of an example application, so that refs, commits and releases are real.

``examples/NAME/app`` is the newest tree. ``examples/NAME/versions.json`` lists the versions in the order in which they
are committed: ``[{"tag", "message", "overlay": FOLDER or null, "remove": [PATH, ...]}]``. The tree of a version is the
newest one, less the paths of ``remove``, with the files of its overlay (a folder beside the list) laid over the rest.
Author and dates are fixed: the same files make the same commits on every machine.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.console import Trouble, step
from tools.environment import only_one
from tools.places import LAB, ROOT
from tools.program import run
from tools.tree import copy_files, known_files

EXAMPLES = ROOT / "examples"
REPOSITORIES = LAB / "repositories"
FIRST_DATE = 1_767_225_600  # 2026-01-01T00:00:00Z; each version is a day later
AUTHOR = {"NAME": "Greenlight example", "EMAIL": "example@greenlight.invalid"}


@dataclass(frozen=True)
class Version:
    """One commit of the example and its tag."""

    tag: str
    message: str
    overlay: str | None
    remove: tuple[str, ...]

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Version:
        """Read one entry of versions.json."""
        strange = set(entry) ^ {"tag", "message", "overlay", "remove"}
        if strange:
            raise Trouble(f"versions.json: {entry.get('tag', entry)} lacks, or should not have: {', '.join(strange)}.")
        return cls(entry["tag"], entry["message"], entry["overlay"], tuple(entry["remove"]))


def versions(folder: Path) -> list[Version]:
    """Return the versions of the example in ``folder``."""
    return [Version.of(entry) for entry in json.loads((folder / "versions.json").read_text())]


def ensure(name: str) -> Path:
    """Return the bare repository of the example ``name``, made anew when one of its files changed."""
    folder, repository = EXAMPLES / name, REPOSITORIES / f"{name}.git"
    if not (folder / "versions.json").is_file():
        raise Trouble(f"There is no example {name}: {folder / 'versions.json'} is missing.")
    stamp = repository.with_suffix(".stamp")
    now = fingerprint(folder)
    if repository.is_dir() and stamp.exists() and stamp.read_text() == now:
        return repository
    with only_one(LAB / "repositories.lock"), step(f"repository {repository.relative_to(ROOT)}"):
        make(folder, repository)
        stamp.write_text(now)
    return repository


def fingerprint(folder: Path) -> str:
    """Return a digest of every file of the example."""
    digest = hashlib.sha256()
    for name in known_files(["."], folder):
        digest.update(f"{name}\0{(folder / name).stat().st_mode & 0o100}\0".encode())
        digest.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return digest.hexdigest()


def make(folder: Path, repository: Path) -> None:
    """Commit every version of ``folder`` into a new bare repository and put it in the place of the old one."""
    REPOSITORIES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=REPOSITORIES) as temporary:
        fresh = Path(temporary) / "fresh.git"
        run(["git", "init", "--quiet", "--bare", "--initial-branch=main", fresh], environment=identity(0))
        for number, version in enumerate(versions(folder)):
            tree = Path(temporary) / version.tag
            lay_out(folder, version, tree)
            commit(fresh, tree, version, number)
        if repository.exists():
            repository.rename(Path(temporary) / "old.git")
        fresh.rename(repository)


def lay_out(folder: Path, version: Version, tree: Path) -> None:
    """Write the files of ``version`` into ``tree``."""
    add_layer(folder / "app", version, tree)
    for name in version.remove:
        remove(tree / name, version)
    if version.overlay:
        add_layer(folder / version.overlay, version, tree)


def add_layer(layer: Path, version: Version, tree: Path) -> None:
    """Copy the files of the folder ``layer`` over what is in ``tree``."""
    if not layer.is_dir():
        raise Trouble(f"versions.json: {version.tag} wants the folder {layer}, which is not there.")
    copy_files(known_files(["."], layer), layer, tree)


def remove(path: Path, version: Version) -> None:
    """Take a file or folder out of a version's tree; naming one that is not there is a mistake."""
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()
    else:
        raise Trouble(f"versions.json: {version.tag} removes {path.name}, which is not in its tree.")


def commit(repository: Path, tree: Path, version: Version, number: int) -> None:
    """Commit ``tree`` as it is and tag it."""
    git: Sequence[str | Path] = ["git", f"--git-dir={repository}", f"--work-tree={tree}"]
    who = identity(number)
    run([*git, "add", "--all", "--force", "."], environment=who, cwd=tree)
    run([*git, "commit", "--quiet", "--allow-empty", "-m", version.message], environment=who, cwd=tree)
    run([*git, "tag", "-a", "-m", version.message, version.tag], environment=who, cwd=tree)


def identity(number: int) -> dict[str, str]:
    """Return the environment that makes the commit of the ``number``-th version the same everywhere."""
    people = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in AUTHOR.items()}
    date = f"{FIRST_DATE + number * 86400} +0000"
    alone = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    return {**people, **alone, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}


def refs(repository: Path) -> str:
    """Return the tags and the commits that they name, one line each."""
    shown = run(
        ["git", f"--git-dir={repository}", "for-each-ref", "--format=%(refname:short) %(*objectname)", "refs/tags"]
    )
    return shown.rstrip()
