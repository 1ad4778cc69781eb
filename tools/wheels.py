# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example's packages, fetched once for the hosts of every Debian release: the lab's package mirror.

A host that is made anew for each test would ask the index for the same packages again and again.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools import environment
from tools.console import step
from tools.environment import only_one
from tools.places import BIN, CACHE, ROOT
from tools.program import run

FOLDER = CACHE / "wheels"
LOCKS = "examples/*/**/requirements.lock"
PYTHONS = ("3.11", "3.13")
"""Of Debian 12 and 13."""
OLDEST_GLIBC, NEWEST_GLIBC = 17, 36
"""As in 2.17, which is in every wheel's name, and 2.36 of Debian 12."""
ON_HOST = "/srv/wheels"
"""Where every host of the lab has :data:`FOLDER`, read-only."""
INSTALLER = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ON_HOST}
"""How pip on a host finds them."""


def ensure() -> None:
    """Fetch what the lock files of the examples name, unless it is there already."""
    locks = sorted(ROOT.glob(LOCKS))
    wanted = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks) + repr(PYTHONS).encode()).hexdigest()
    stamp = FOLDER / "complete"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    environment.ensure()
    with only_one(CACHE / "wheels.lock"), step("packages of the examples"):
        clear()
        jobs = [(lock, python) for lock in {lock.read_bytes(): lock for lock in locks}.values() for python in PYTHONS]
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(lambda job: fetch(*job), jobs))
        stamp.write_text(wanted)


def clear() -> None:
    """Empty the folder; the folder itself stays, since hosts have it mounted."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def fetch(lock: Path, python: str) -> None:
    """Fetch the wheels of one lock file for one version of Python."""
    run([BIN / "python", *words(lock, python, platform.machine())])


def words(lock: Path, python: str, machine: str) -> list[str]:
    """What follows the interpreter to fetch them for another Python than ours."""
    glibc = [f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST_GLIBC, OLDEST_GLIBC - 1, -1)]
    platforms: Sequence[str] = [*glibc, f"manylinux2014_{machine}"]
    return [
        *("-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"),
        f"--python-version={python}",
        *(f"--platform={name}" for name in platforms),
        f"--dest={FOLDER}",
        f"--requirement={lock}",
    ]
