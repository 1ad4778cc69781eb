# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tools' own Python environment (``.venv``) and the link through which the checkout is found as a collection."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.console import say, step
from tools.machine import install_packages, require_disk
from tools.places import BIN, CACHE, COLLECTIONS, ROOT, VENV
from tools.program import attempt, run

LOCK_FILE = ROOT / "requirements" / "dev.txt"
STAMP = VENV / ".greenlight"
LINK = COLLECTIONS / "ansible_collections" / "greenlight" / "deploy"


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Let one ``./dev`` at a time into the block; another one waits, and says for what."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  ... waiting for another ./dev")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def stamp() -> str:
    """Return what the environment must have been made from: the locked packages and this interpreter."""
    digest = hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()
    return f"{digest} {sys.version_info.major}.{sys.version_info.minor} {ROOT}\n"


def ready() -> bool:
    """Say whether the environment is complete and of today's lock file."""
    return STAMP.exists() and STAMP.read_text() == stamp()


def ensure() -> None:
    """Make ``.venv`` and the collection's link where they are missing or out of date."""
    if LINK.is_symlink() and ready():
        return
    with only_one(CACHE / "environment.lock"):
        link_collection()
        if not ready():
            make_environment()


def link_collection() -> None:
    """Let the checkout be found as ``ansible_collections/greenlight/deploy``, whatever its folder is called."""
    LINK.parent.mkdir(parents=True, exist_ok=True)
    if not LINK.is_symlink():
        LINK.symlink_to(os.path.relpath(ROOT, LINK.parent))


def make_environment() -> None:
    """Install the locked packages into a new ``.venv``."""
    require_disk()
    if importlib.util.find_spec("ensurepip") is None:
        install_packages(["python3-venv"])
    with step("tools into .venv"):
        STAMP.unlink(missing_ok=True)
        run([sys.executable, "-m", "venv", "--clear", VENV])
        run([BIN / "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", LOCK_FILE])
        STAMP.write_text(stamp())


def tool_environment() -> dict[str, str]:
    """Return the environment variables under which the tools of ``.venv`` find each other and the collection."""
    return {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(CACHE / "ansible"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{tempfile.gettempdir()}/greenlight-ssh-{os.getuid()}",  # must be short
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "",
    }


def pip_settings() -> str:
    """Return this machine's pip settings, from all their places, as the text of one pip.conf.

    Whatever runs elsewhere (a lab host, a tool with a home of its own) asks the same indexes by it.
    """
    listed = attempt([sys.executable, "-m", "pip", "config", "list"]).stdout
    settings: dict[str, str] = {}
    for line in listed.splitlines():
        key, found, value = line.partition("=")
        if found:
            settings[key.split(".", 1)[-1]] = value.strip().strip("'\"")
    lines = [f"{key} = {value}" for key, value in sorted(settings.items())]
    return "\n".join(["[global]", *lines, ""])
