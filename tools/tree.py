# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of the checkout as git sees them: what is committed and what would be."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.places import ROOT
from tools.program import run


def known_files(tops: Iterable[str], root: Path = ROOT) -> Iterator[str]:
    """Yield, sorted, the files below ``tops`` (paths in ``root``) that git knows or would add.

    A link to a folder stands for the files of that folder, so that one of the project's packages can be in two places.
    """
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *tops], cwd=root)
    for name in sorted(set(filter(None, listed.split("\0")))):
        path = root / name
        if path.is_file():
            yield name
        elif path.is_symlink() and path.is_dir():
            yield from (f"{name}/{inner}" for inner in known_files(["."], path.resolve()))


def copy_files(names: Iterable[str], source: Path, target: Path) -> None:
    """Copy the files ``names`` from below ``source`` to the same places below ``target``."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, target / name, follow_symlinks=False)
