# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as a user gets it, from the built file; built again only when one of its files changed."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from tools.checks import KEPT, build_collection, install_collection
from tools.log import Log
from tools.places import ROOT
from tools.tree import known_files


def digest() -> str:
    """What the built collection is made of, as one checksum."""
    total = hashlib.sha256()
    for name in known_files([*sorted(KEPT), "galaxy.yml"]):
        total.update(f"{name}\0".encode())
        total.update(hashlib.sha256((ROOT / name).read_bytes()).digest())
    return total.hexdigest()


def install(path: Path) -> bool:
    """Build the collection and install the file into ``path``; False when it is there already."""
    wanted, stamp = digest(), path.with_name(f".{path.name}.digest")
    if path.is_dir() and stamp.exists() and stamp.read_text() == wanted:
        return False
    shutil.rmtree(path, ignore_errors=True)
    stamp.unlink(missing_ok=True)
    log = Log("built collection")
    with tempfile.TemporaryDirectory(prefix="greenlight-built-") as temporary:
        install_collection(build_collection(Path(temporary), log), path, log)
    stamp.write_text(wanted)
    return True
