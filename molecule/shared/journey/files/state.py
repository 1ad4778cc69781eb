# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a deployment can change on a host, one line each: what a refused one must leave as it was.

Files by checksum and mode, links by target, releases by name, units by state and process, packet filter by checksum.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

FILES = (
    "/etc/nginx/**/*",
    "/etc/greenlight/**/*",
    "/etc/systemd/system/*mobile-sync*",
    "/var/lib/greenlight/**/*.json",
    "/var/lib/greenlight/**/current",
    "/opt/mobile-sync/*",
    "/opt/mobile-sync/*/*",
)
TOLD = "deployment.json"  # how the last deployment ended: told also of one that was refused
SHOWN = ["--property=Id,ActiveState,MainPID,NRestarts,UnitFileState"]


def files() -> Iterator[str]:
    """Each file, link and folder of :data:`FILES`."""
    for pattern in FILES:
        for path in sorted(Path("/").glob(pattern.lstrip("/"))):
            if path.name == TOLD:
                continue
            if path.is_symlink():
                yield f"{path} -> {path.readlink()}"
            elif path.is_file():
                yield f"{path} {path.stat().st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
            else:
                yield str(path)


def said(*command: str) -> str:
    """The output of a command; empty where its program is not installed."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:
        return ""


def main() -> None:
    print(*files(), sep="\n")
    print(said("systemctl", "show", *SHOWN, "mobile-sync-*", "nginx.service"))
    print("packet filter", hashlib.sha256(said("nft", "list", "ruleset").encode()).hexdigest())


if __name__ == "__main__":
    main()
