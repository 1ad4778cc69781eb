# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a managed host is: versions, room, addresses, and what it can reach."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

COMMAND_SECONDS = 10.0


def describe(python: str, requires: Sequence[str], folder: str, timeout: float) -> dict[str, object]:
    """Look at this host and change nothing.

    ``requires`` are ``tcp://HOST:PORT`` endpoints that are tried side by side for ``timeout`` seconds each,
    ``folder`` is the place whose free space counts, in bytes.
    """
    return {
        "time": time.time(),
        "architecture": platform.machine(),
        "python": _version([python, "-c", "import platform; print(platform.python_version())"]),
        "systemd": _version(["systemctl", "--version"]),
        "nginx": _version(["nginx", "-v"]),
        "disk_free": shutil.disk_usage(_existing(Path(folder))).free,
        "addresses": addresses(),
        "requires": _answers(requires, timeout),
    }


def addresses() -> list[str]:
    """The IP addresses of this host."""
    listed = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True, timeout=COMMAND_SECONDS)
    return sorted(set(re.findall(r"inet6? ([0-9A-Fa-f.:]+)/", listed.stdout)))


def _version(command: Sequence[str]) -> str:
    """The first version number that a program prints of itself, or nothing when it is not there."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    try:
        said = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_SECONDS,
            env={**os.environ, "PATH": path},
        )
    except OSError:
        return ""
    found = re.search(r"\d+(\.\d+)*", said.stdout + said.stderr)
    return found.group() if found and said.returncode == 0 else ""


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def _answers(endpoints: Sequence[str], timeout: float) -> list[dict[str, str]]:
    if not endpoints:
        return []
    with ThreadPoolExecutor(max_workers=len(endpoints)) as pool:
        errors = pool.map(lambda endpoint: _connect(endpoint, timeout), endpoints)
        return [{"endpoint": endpoint, "error": error} for endpoint, error in zip(endpoints, errors, strict=True)]


def _connect(endpoint: str, timeout: float) -> str:
    """Nothing when ``tcp://HOST:PORT`` accepts a connection, else why it does not."""
    host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout).close()
    except OSError as error:
        return error.strerror or str(error)
    return ""
