# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Podman as the lab uses it: as root, with one generated containers.conf where this machine needs one."""

from __future__ import annotations

import json
import re
import resource
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.console import Trouble
from tools.places import LAB
from tools.program import as_root, run

CONTAINERS_CONF = LAB / "containers.conf"
UNIFIED_CGROUPS = Path("/sys/fs/cgroup/cgroup.controllers")
CAP_SYS_RESOURCE = 24
PACKAGES = (
    "podman",
    "netavark",
    "aardvark-dns",
    "iptables",
    "mmdebstrap",
    "debian-archive-keyring",
    "openssh-client",
    "iproute2",
    "git",
)


@dataclass(frozen=True)
class Abilities:
    """What of this machine changes how podman must be told to run: see :func:`containers_conf`."""

    unified_cgroups: bool
    may_raise_limits: bool
    open_files: int


def look_around() -> Abilities:
    """Read the abilities of this machine."""
    status = Path("/proc/self/status").read_text()
    bounding = re.search(r"^CapBnd:\s*(\w+)", status, re.MULTILINE)
    capabilities = int(bounding.group(1), 16) if bounding else 0
    return Abilities(
        unified_cgroups=UNIFIED_CGROUPS.exists(),
        may_raise_limits=bool(capabilities >> CAP_SYS_RESOURCE & 1),
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    )


def containers_conf(abilities: Abilities) -> str:
    """Return what containers.conf must say here; empty where podman's own defaults serve.

    crun refuses a machine without the unified cgroup tree, runc does not. Podman asks for limits above our own, which
    only a machine that may raise limits grants.
    """
    lines = []
    if not abilities.may_raise_limits:
        soft = min(1024, abilities.open_files)
        lines += ["[containers]", f'default_ulimits = ["nofile={soft}:{abilities.open_files}", "nproc=10000:10000"]']
    if not abilities.unified_cgroups:
        lines += ["[engine]", 'runtime = "runc"']
    return "".join(f"{line}\n" for line in lines)


def packages(abilities: Abilities) -> tuple[str, ...]:
    """Return the packages of the lab on a machine with these abilities."""
    return PACKAGES if abilities.unified_cgroups else (*PACKAGES, "runc")


def configure(abilities: Abilities) -> None:
    """Write ``.lab/containers.conf`` as this machine needs it."""
    LAB.mkdir(exist_ok=True)
    text = containers_conf(abilities)
    if text:
        CONTAINERS_CONF.write_text(text)
    else:
        CONTAINERS_CONF.unlink(missing_ok=True)


def command(*words: str | Path) -> list[str]:
    """Return the argument list that runs ``podman WORDS`` as root."""
    if shutil.which("podman") is None:
        raise Trouble("podman is not installed.", "`./dev up` installs it; on this machine nothing has done so yet.")
    known = {"CONTAINERS_CONF": str(CONTAINERS_CONF)} if CONTAINERS_CONF.exists() else {}
    return as_root(["podman", *words], known)


def podman(*words: str | Path, feed: str | None = None, seconds: float | None = None) -> str:
    """Run ``podman WORDS`` and return its output; ``feed`` is its standard input."""
    return run(command(*words), feed=feed, seconds=seconds)


def shown(*words: str) -> list[dict[str, Any]]:
    """Return the answer of a podman command that lists things, as objects."""
    answer: list[dict[str, Any]] = json.loads(podman(*words, "--format", "json") or "[]")
    return answer or []
