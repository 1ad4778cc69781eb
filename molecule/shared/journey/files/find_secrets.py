# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where this host holds the secrets given on standard input as a JSON object: files with mode and owner, the journal,
the command lines of processes. The environments of processes are not looked at: only root and their user can.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

FOLDERS = ("/etc", "/opt/mobile-sync", "/var", "/root", "/home", "/tmp", "/run", "/srv", "/usr/local")
# What the lab's databases themselves keep.
DATABASES = ("postgresql", "redis")
GREP = ["grep", "--files-with-matches", "--no-messages", "--fixed-strings", "--file=/dev/stdin"]


def holders(secrets: str, *where: str) -> list[Path]:
    """Each file that holds one of them."""
    done = subprocess.run([*GREP, *where], input=secrets, capture_output=True, text=True, check=False)
    return sorted(map(Path, done.stdout.splitlines()))


def main() -> None:
    secrets = "".join(f"{secret}\n" for secret in json.load(sys.stdin).values())
    excluded = [f"--exclude-dir={name}" for name in DATABASES]
    for file in holders(secrets, "--recursive", "--devices=skip", *excluded, *FOLDERS):
        print(f"{file} {file.stat().st_mode & 0o7777:o} {file.owner()}")
    for file in holders(secrets, *map(str, Path("/proc").glob("[0-9]*/cmdline"))):
        print(file)
    journal = subprocess.run(
        ["journalctl", "--all", "--no-pager"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    if any(secret in journal for secret in secrets.split()):
        print("the journal")


if __name__ == "__main__":
    main()
