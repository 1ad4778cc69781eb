# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of ``./dev lint``: every one runs over the whole project and none has anything switched off."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.console import Trouble, say
from tools.environment import pip_settings
from tools.log import Log, Outcome, timed
from tools.places import BIN, CACHE, ROOT
from tools.program import run
from tools.tree import copy_files, known_files

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

# ansible-test builds environments of its own and fetches get-pip.py for each of them from a host that many networks
# do not let through. It looks into its cache first, so the cache holds this: ensurepip, then pip from the usual index.
GET_PIP = """\
import subprocess, sys
subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "-q", "--upgrade", *wanted]))
"""
GET_PIP_NAME = "get_pip_24_2.py"

# What a user has after installing the collection, and nothing else.
KEPT = {
    "CHANGELOG.rst", "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "changelogs", "docs", "meta",
    "playbooks", "plugins", "roles",
}  # fmt: skip


def ruff_lint(log: Log) -> None:
    log.run([BIN / "ruff", "check", "--output-format", "concise", "."])


def ruff_format(log: Log) -> None:
    log.run([BIN / "ruff", "format", "--check", "."])


def mypy(log: Log) -> None:
    """Type-check what decides (module_utils), what builds and plays (tools, tests) and the clients, all strictly."""
    collection = CACHE / "collections"
    utilities = collection / "ansible_collections/greenlight/deploy/plugins/module_utils"
    log.run([BIN / "mypy", "--config-file", ROOT / "pyproject.toml", utilities], cwd=collection)
    log.run([BIN / "mypy", "tools", "tests/stage", "tests/drill", "tests/bench"])
    log.run([BIN / "mypy", "--config-file", ROOT / "pyproject.toml", "greenlight_drain"], cwd=ROOT / "clients/python")


def yamllint(log: Log) -> None:
    log.run([BIN / "yamllint", "--strict", "."])


def ansible_lint(log: Log) -> None:
    log.run([BIN / "ansible-lint", "--profile", "production", "--strict", "--offline", "--format", "pep8"])


def sanity(log: Log) -> None:
    """Run all of ``ansible-test sanity`` on a copy outside the repository, with a home of its own in ``.cache``.

    The copy holds the collection and its tests; the workshop around it is none of ansible-test's business.
    """
    home = CACHE / "home"
    (home / ".ansible/test/cache").mkdir(parents=True, exist_ok=True)
    (home / ".ansible/test/cache" / GET_PIP_NAME).write_text(GET_PIP)
    (home / ".config/pip").mkdir(parents=True, exist_ok=True)
    (home / ".config/pip/pip.conf").write_text(pip_settings())
    with tempfile.TemporaryDirectory(prefix="greenlight-sanity-") as temporary:
        copy = Path(temporary) / "ansible_collections/greenlight/deploy"
        copy_files(known_files([*sorted(KEPT), "galaxy.yml", "tests"]), ROOT, copy)
        log.run(
            [BIN / "ansible-test", "sanity", "--local", "--python", PYTHON, "--color", "no"],
            cwd=copy,
            environment={"HOME": str(home)},
        )


def documentation(log: Log) -> None:
    log.run([BIN / "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "."])


def changelog(log: Log) -> None:
    log.run([BIN / "antsibull-changelog", "lint"])


def role_readmes(log: Log) -> None:
    """Compare every role's README with what its argument specification makes of it."""
    with tempfile.TemporaryDirectory(prefix="greenlight-roles-") as temporary:
        written = write_readmes(Path(temporary), log)
        stale = [role for role, text in written.items() if not same_text(text, ROOT / "roles" / role / "README.md")]
    if stale:
        raise Trouble(
            f"README.md is not what meta/argument_specs.yml says it is, in: {', '.join(stale)}.",
            "Run ./dev readmes and commit what it wrote.",
        )


def write_readmes(folder: Path, log: Log) -> dict[str, Path]:
    """Write below ``folder`` every role's README, made from its argument specification; return them by role.

    aar-doc wants metadata of a stand-alone role beside the specification. A role of a collection has none, its
    collection has them, so they stand in the copy that aar-doc reads.
    """
    written = {}
    for specification in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        role = folder / "roles" / specification.parent.parent.name
        (role / "meta").mkdir(parents=True)
        completed = run([BIN / "python", ROOT / "tools/complete_spec.py", specification.parent.parent])
        (role / "meta/argument_specs.yml").write_text(completed)
        (role / "meta/main.yml").write_text(ROLE_METADATA)
        shutil.copy2(ROOT / "galaxy.yml", folder)
        template = ROOT / "tools/role_readme.j2"
        log.run([BIN / "aar-doc", "--output-mode", "replace", "--output-template", template, role, "markdown"])
        tidy(role / "README.md")
        written[role.name] = role / "README.md"
    return written


ROLE_METADATA = "galaxy_info: {author: '', description: '', license: '', platforms: []}\n"


def tidy(path: Path) -> None:
    """Leave one empty line where a template left several, and none at the end."""
    path.write_text(re.sub(r"\n{3,}", "\n\n", path.read_text().strip()) + "\n")


def same_text(one: Path, other: Path) -> bool:
    """Say whether both files exist and hold the same."""
    return one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()


def build(log: Log) -> None:
    """Build the collection, install the file into an empty path and list what a user would then have."""
    with tempfile.TemporaryDirectory(prefix="greenlight-build-") as temporary:
        archive = build_collection(Path(temporary), log)
        path = Path(temporary) / "installed"
        install_collection(archive, path, log)
        installed = path / "ansible_collections/greenlight/deploy"
        names = sorted(entry.name for entry in installed.iterdir())
        log.note(f"installed: {' '.join(names)}")
        strangers = set(names) - KEPT
        if strangers:
            raise Trouble(
                f"The built collection holds {', '.join(sorted(strangers))}.", "Add it to build_ignore in galaxy.yml."
            )


def build_collection(folder: Path, log: Log) -> Path:
    """Build the collection of the checkout into ``folder`` and return the file."""
    log.run([BIN / "ansible-galaxy", "collection", "build", "--force", "--output-path", folder])
    (archive,) = folder.glob("greenlight-deploy-*.tar.gz")
    return archive


def install_collection(archive: Path, path: Path, log: Log) -> None:
    """Install the built collection into ``path`` as a user does, without looking at the checkout's own link."""
    alone = {"ANSIBLE_COLLECTIONS_PATH": str(path)}
    log.run([BIN / "ansible-galaxy", "collection", "install", "--offline", "-p", path, archive], environment=alone)


CHECKS: dict[str, Callable[[Log], None]] = {
    "sanity": sanity,  # the longest first: the others fit beside it
    "documentation": documentation,
    "ansible-lint": ansible_lint,
    "mypy": mypy,
    "build": build,
    "role readmes": role_readmes,
    "changelog": changelog,
    "yamllint": yamllint,
    "ruff lint": ruff_lint,
    "ruff format": ruff_format,
}


def lint(names: Sequence[str] = ()) -> list[Outcome]:
    """Run the named checks, or all of them, side by side on the cores that there are."""
    unknown = set(names) - set(CHECKS)
    if unknown:
        raise Trouble(f"There is no check {', '.join(sorted(unknown))}.", f"There are: {', '.join(CHECKS)}.")
    say("lint")
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(lambda name: timed(name, CHECKS[name]), names or CHECKS))
