# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where this host holds the secrets given on standard input as a JSON object: files with mode and owner, the journal,
the command lines of processes. The environments of processes are not looked at: only root and their user can.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("/etc", "/opt", "/var", "/root", "/home", "/tmp", "/run", "/srv", "/usr/local")
# What the lab itself made: the databases' own files and what is given to us.
OWN = ("/var/lib/postgresql", "/etc/redis", "/var/lib/redis", "/run/credentials", "/run/user")


def holders(secrets: list[bytes]) -> Iterator[str]:
    """Each file that holds one of them."""
    for folder in FOLDERS:
        for path, _folders, names in os.walk(folder):
            if path.startswith(OWN):
                continue
            for name in names:
                file = Path(path, name)
                if not file.is_symlink() and file.is_file() and any(one in file.read_bytes() for one in secrets):
                    yield f"{file} {file.stat().st_mode & 0o7777:o} {file.owner()}"


def command_lines(secrets: list[bytes]) -> Iterator[str]:
    """Each process that names one of them in its command line."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes()
        except OSError:
            continue  # it ended
        if any(one in line for one in secrets):
            yield str(file)


def main() -> None:
    secrets = [secret.encode() for secret in json.load(sys.stdin).values()]
    found = [*sorted(holders(secrets)), *sorted(command_lines(secrets))]
    journal = subprocess.run(["journalctl", "--all", "--no-pager"], stdout=subprocess.PIPE, check=True).stdout
    found += ["the journal"] if any(one in journal for one in secrets) else []
    print(*found, sep="\n", end="")


if __name__ == "__main__":
    main()
