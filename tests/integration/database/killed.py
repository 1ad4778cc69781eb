# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module in a process that is killed after its n-th step; a program of its own, called by the tests.

Arguments: the module, n. A step is a statement that changes something, a commit, or a program that has begun. The
options come as JSON on standard input. Without being killed it ends with the module's status and has printed the
number of steps on standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import sys
import threading

import psycopg2
import psycopg2.extensions
from ansible.module_utils import _internal
from ansible.module_utils.testing import patch_module_args

from ansible_collections.greenlight.deploy.plugins.module_utils.build import commands
from ansible_collections.greenlight.deploy.plugins.module_utils.database import postgres

CHANGES = re.compile(r"\s*(CREATE|COMMENT|DROP|ALTER|REVOKE|GRANT)\b")
LATER = 0.1
steps = 0


def step(after: float = 0) -> None:
    """Count a step, and die when it is the one."""
    global steps  # noqa: PLW0603
    steps += 1
    if steps == int(sys.argv[2]):
        threading.Timer(after, die).start() if after else die()


def die() -> None:
    """End as nothing can be ended later."""
    os.kill(os.getpid(), signal.SIGKILL)


class Cursor(psycopg2.extensions.cursor):
    def execute(self, statement, parameters=None):
        super().execute(statement, parameters)
        if CHANGES.match(statement):
            step()


class Connection(psycopg2.extensions.connection):
    def commit(self):
        super().commit()
        step()


def connect(real):
    return lambda **words: real(connection_factory=Connection, cursor_factory=Cursor, **words)


def begin(real):
    def run(argv, *rest, **words):
        step(LATER)
        return real(argv, *rest, **words)

    return run


def main() -> None:
    postgres.psycopg2.connect = connect(psycopg2.connect)
    dump = importlib.import_module("ansible_collections.greenlight.deploy.plugins.module_utils.database.dump")
    dump.run = begin(commands.run)
    module = importlib.import_module(f"ansible_collections.greenlight.deploy.plugins.modules.{sys.argv[1]}")
    _internal.is_controller = False
    with patch_module_args(json.load(sys.stdin)):
        try:
            module.main()
        finally:
            sys.stderr.write(f"{steps}\n")


if __name__ == "__main__":
    main()
