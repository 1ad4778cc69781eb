# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's project with the built collection, written by ``init`` once and kept as long as nothing of it changed."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import built, demo_project, example, keys, user
from tools.demo_project import APP, CA_FILE, DOMAIN, INVENTORY
from tools.hosts import HOSTS, Host
from tools.log import Log
from tools.places import BIN, LAB

__all__ = ["APP", "CA_FILE", "DOMAIN", "INVENTORY", "Project"]


@dataclass(frozen=True)
class Project:
    """``name`` is its folder below ``.lab``; ``description`` replaces what the demo's project says."""

    name: str
    proxies: Sequence[str]
    apps: Sequence[str]
    description: Mapping[str, Any]

    @property
    def folder(self) -> Path:
        """Where its own things lie: the collection, a home, the project."""
        return LAB / self.name

    @property
    def path(self) -> Path:
        """Where the user types."""
        return self.folder / "project"

    @property
    def edge(self) -> Host:
        """The proxy that the clients ask."""
        return HOSTS[self.proxies[0]]

    @property
    def hosts(self) -> list[Host]:
        """All hosts that it takes, the databases' included."""
        return [HOSTS[name] for name in (*self.proxies, *self.apps, demo_project.DATA)]

    def answers(self) -> dict[str, Any]:
        """What ``init`` is told."""
        return {
            **demo_project.variables(example.ensure("mobile_sync"), "v1.0.0"),
            "project_path": str(self.path),
            "project_proxies": {name: HOSTS[name].address for name in self.proxies},
            "project_apps": {name: HOSTS[name].address for name in self.apps},
            "project_description": {**demo_project.DESCRIPTION, **self.description},
        }

    def environment(self) -> dict[str, str]:
        """The environment of the user."""
        return user.environment(ANSIBLE_COLLECTIONS_PATH=str(self.folder / "collections"))

    def scaffold(self) -> None:
        """Install the collection and let ``init`` write the project, each only where something changed."""
        demo_project.certificate()
        fresh = built.install(self.folder / "collections")
        answers = json.dumps(self.answers())
        stamp, wanted = self.folder / "answers.sha256", hashlib.sha256(answers.encode()).hexdigest()
        if not fresh and stamp.exists() and stamp.read_text() == wanted:
            return
        stamp.unlink(missing_ok=True)
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        told = self.folder / "answers.json"
        keys.write_private(told, answers)
        init: list[str | Path] = [BIN / "ansible-playbook", "greenlight.deploy.init", "-e", f"@{told}"]
        Log(f"{self.name}-init").run(init, cwd=self.path, environment=self.environment())
        told.unlink()
        stamp.write_text(wanted)
