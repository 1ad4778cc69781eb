# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the machine under ``./dev`` must offer, and the packages that it lacks."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from tools.console import Trouble, step
from tools.places import ROOT
from tools.program import as_root, attempt, run

NEEDED_DISK_GIB = 6.0
LOCK_SECONDS = 300  # how long to wait for another apt on this machine
SUPPORTED = ("debian", "ubuntu")
OS_RELEASE = Path("/etc/os-release")


def parse_os_release(text: str) -> dict[str, str]:
    """Return the assignments of an os-release file, quotes taken off."""
    pairs = re.findall(r"""^([A-Z_]+)=["']?(.*?)["']?$""", text, re.MULTILINE)
    return dict(pairs)


def supported(release: dict[str, str]) -> bool:
    """Say whether we know how to install packages on the system that ``release`` describes."""
    family = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    return not family.isdisjoint(SUPPORTED)


def require_system() -> None:
    """End with :class:`Trouble` on a system whose packages we do not know."""
    release = parse_os_release(OS_RELEASE.read_text()) if OS_RELEASE.exists() else {}
    if not supported(release):
        raise Trouble(
            f"This system ({release.get('PRETTY_NAME', 'unknown')}) is not one that ./dev can prepare.",
            "Use Debian 12, Debian 13 or Ubuntu 24.04 or newer, in a virtual machine for instance.",
        )


def require_disk(path: Path = ROOT, needed_gib: float = NEEDED_DISK_GIB) -> None:
    """End with :class:`Trouble` when the file system of ``path`` has less than ``needed_gib`` free."""
    free_gib = shutil.disk_usage(path).free / 2**30
    if free_gib < needed_gib:
        raise Trouble(
            f"{path} has {free_gib:.1f} GiB free, {needed_gib:.0f} GiB are needed for tools and images.",
            "Free some space; `./dev down --images` gives back what earlier runs took.",
        )


def missing_packages(packages: Iterable[str]) -> list[str]:
    """Return those of ``packages`` that are not installed (one call of dpkg-query)."""
    wanted = list(packages)
    shown = attempt(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *wanted]).stdout
    installed = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    return [package for package in wanted if package not in installed]


def install_packages(packages: Iterable[str]) -> None:
    """Install those of ``packages`` that are missing, with apt."""
    require_system()
    missing = missing_packages(packages)
    if not missing:
        return
    with step(f"apt-get install {' '.join(missing)}"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        apt = ["apt-get", "-qq", "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}"]
        install = [*apt, "install", "-y", "--no-install-recommends", *missing]
        if attempt(as_root(install, quiet)).returncode != 0:  # most often: lists never fetched, or stale
            run(as_root([*apt, "update"], quiet))
            run(as_root(install, quiet))
