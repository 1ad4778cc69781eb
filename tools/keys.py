# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab alone knows: its SSH key and its passwords, made once, readable by their owner only."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from tools.places import LAB
from tools.program import run

SSH = LAB / "ssh"
KEY = SSH / "id_ed25519"
KNOWN_HOSTS = SSH / "known_hosts"
SECRETS = LAB / "secrets.json"
DATABASE = "mobile_sync"
OWNER = "mobile_sync"
LENGTH = 48  # bytes; as text 64 characters
NAMES = ("database_password", "redis_password", "secret_key", "tester_token")


def public_key() -> str:
    """Return the public half of the lab's key; the key is made if it is not there."""
    if not KEY.exists():
        SSH.mkdir(parents=True, exist_ok=True)
        SSH.chmod(0o700)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "greenlight lab", "-f", KEY])
    return KEY.with_suffix(".pub").read_text().strip()


def passwords() -> dict[str, str]:
    """Return the lab's secrets by name (:data:`NAMES`); each is made at its first use and kept in :data:`SECRETS`."""
    known: dict[str, str] = json.loads(SECRETS.read_text()) if SECRETS.exists() else {}
    missing = [name for name in NAMES if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(LENGTH) for name in missing}
        write_private(SECRETS, json.dumps(known, indent=2) + "\n")
    return known


def write_private(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` so that no one but its owner ever reads it, at once and whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    fresh.rename(path)
