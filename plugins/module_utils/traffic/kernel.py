# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel says below ``/proc``: sockets, and nginx's processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.sockets import Socket, parse_table

MASTER = "nginx: master process"
WORKER = "nginx: worker process"
SHUTTING_DOWN = f"{WORKER} is shutting down"
_FILE_LIMIT = re.compile(r"^Max open files\s+\S+\s+(\d+)", re.MULTILINE)


class Kernel:
    """``root`` is ``/proc``, or a copy of it in a test."""

    def __init__(self, root: Path = Path("/proc")) -> None:
        self._root = root

    def has_ipv6(self) -> bool:
        """Whether any interface has an IPv6 address."""
        return bool(_read(self._root / "net/if_inet6"))

    def sockets(self) -> Iterator[Socket]:
        """All TCP sockets of this network namespace."""
        for table in ("tcp", "tcp6"):
            yield from parse_table(_read(self._root / "net" / table))

    def nginx_titles(self) -> list[str]:
        """The titles of nginx's processes, such as ``nginx: worker process is shutting down``."""
        return [title for _process, title in self._nginx()]

    def nginx_running(self) -> bool:
        """Whether a master process is there."""
        return any(title.startswith(MASTER) for title in self.nginx_titles())

    def nginx_file_limit(self) -> int | None:
        """How many files workers may at most open: the master's limit, or while nginx does not run that of init."""
        masters = (process for process, title in self._nginx() if title.startswith(MASTER))
        match = _FILE_LIMIT.search(_read(next(masters, self._root / "1") / "limits"))
        return int(match[1]) if match else None

    def _nginx(self) -> Iterator[tuple[Path, str]]:
        for process in self._processes():
            title = _read(process / "cmdline").replace("\0", " ").strip()
            if title.startswith("nginx: "):
                yield process, title

    def _processes(self) -> Iterator[Path]:
        return (path for path in self._root.iterdir() if path.name.isdecimal())


def workers(titles: list[str]) -> tuple[int, int]:
    """``(serving, shutting down)`` among the titles of nginx's processes."""
    old = sum(title.startswith(SHUTTING_DOWN) for title in titles)
    return sum(title.startswith(WORKER) for title in titles) - old, old


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # a process that has ended, or no IPv6
        return ""
