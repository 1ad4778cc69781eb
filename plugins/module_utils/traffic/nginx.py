# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program nginx of this host: its version, its check of the configuration, its reload."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_conf import dumped_files

Version = tuple[int, int, int]
Run = Callable[[Sequence[str]], tuple[int, str]]
_VERSION = re.compile(r"nginx/(\d+)\.(\d+)\.(\d+)")
_COMPLAINT = re.compile(r"\[emerg\] (?:\d+#\d+: )?(.*)")
_SECONDS = 60


def run_program(command: Sequence[str]) -> tuple[int, str]:
    """Exit status, and what was written to either stream."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_SECONDS, check=False, errors="replace"
        )
    except FileNotFoundError:
        return 127, f"{command[0]}: not found"
    except subprocess.TimeoutExpired:
        return 124, f"not finished within {_SECONDS} s"
    return done.returncode, done.stdout


class Nginx:
    """``command`` is how to call it, with ``-c`` and ``-p`` when it is not the system's."""

    def __init__(self, run: Run = run_program, command: Sequence[str] = ("nginx",)) -> None:
        self._run = run
        self._command = tuple(command)

    def version(self) -> Version | None:
        """For example ``(1, 22, 1)``; None when nginx is not installed."""
        match = _VERSION.search(self._run([*self._command, "-v"])[1])
        return (int(match[1]), int(match[2]), int(match[3])) if match else None

    def problem(self) -> str:
        """What ``nginx -t`` says against the files as they are now, empty when nothing."""
        status, output = self._run([*self._command, "-t", "-q"])
        if not status:
            return ""
        return "; ".join(_COMPLAINT.findall(output)) or output.strip() or f"exit status {status}"

    def files(self) -> dict[str, str]:
        """Every file that nginx reads, by path; empty when the configuration is not valid."""
        status, output = self._run([*self._command, "-T"])
        return {} if status else dumped_files(output)

    def enabled(self) -> bool:
        """Whether the service starts at boot."""
        return self._run(["systemctl", "is-enabled", "--quiet", "nginx.service"])[0] == 0

    def reload(self) -> None:
        """Let the master read its files again."""
        self._act([*self._command, "-s", "reload"])

    def start(self) -> None:
        """Start the service."""
        self._act(["systemctl", "start", "nginx"])

    def _act(self, command: Sequence[str]) -> None:
        status, output = self._run(command)
        if status:
            raise CommandFailed(
                f"exit status {status}: {output.strip()[-800:]}", where=" ".join(command), do="see journalctl -u nginx"
            )
