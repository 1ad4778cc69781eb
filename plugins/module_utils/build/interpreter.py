# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An interpreter of this host: where it is and which compiled packages it can load."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed, InvalidInput

_QUESTION = (
    "import ensurepip, json, os, platform, sys, sysconfig, venv;"
    "print(json.dumps({'path': os.path.realpath(sys.executable), 'version': platform.python_version(),"
    "'soabi': sysconfig.get_config_var('SOABI') or '', 'machine': platform.machine()}))"
)


@dataclass(frozen=True)
class Interpreter:
    """A Python: its real path, full version, binary interface and machine."""

    path: str
    version: str
    soabi: str
    machine: str

    @property
    def series(self) -> str:
        """The version that decides which environments it can use, such as ``3.11``."""
        return ".".join(self.version.split(".")[:2])


def ask(python: str) -> Interpreter:
    """What ``python`` (a name on the path or a path) is; :class:`InvalidInput` when it cannot make environments."""
    try:
        answer = run([python, "-c", _QUESTION], Context(Path("/"), timeout=30.0), what=f"interpreter {python}")
    except CommandFailed as error:
        raise InvalidInput(
            f"it cannot make virtual environments: {error.what.strip()}",
            where=f"interpreter {python}",
            expected="an interpreter with the modules venv and ensurepip",
            do="install the package python3-venv, or set greenlight_python to one that has them",
        ) from error
    return Interpreter(**json.loads(answer.splitlines()[-1]))
