#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drain
short_description: Empty a colour of its WebSockets
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Asks the application to close the WebSockets of the client classes that moved to the other colour, by a command of
    its own, spread over some seconds.
  - Waits until the instances of the colour on this host have no connection left, or until a deadline. It cuts nothing
    itself.
  - A traffic share moves new requests only; an open WebSocket stays where it is until somebody closes it.
options:
  app:
    description: Name of the application.
    type: str
    required: true
  colour:
    description: Colour that is emptied.
    type: str
    choices: [blue, green]
    required: true
  command:
    description:
      - Command that asks, run in the release of the colour with the environment and account of its services.
      - C({classes}) becomes C(0-9,15), C({seconds}) the value of O(over), C({colour}) the colour. C(python) as the
        first word is the release's interpreter.
      - Empty when the application cannot be asked, or when another host asks.
    type: list
    elements: str
    default: []
  classes:
    description: Client classes that are asked to leave, C(c00) to C(c99), or C(all).
    type: list
    elements: str
    default: []
  over:
    description: Seconds over which the closing is spread.
    type: int
    default: 20
  ports:
    description: Ports of the colour's instances on this host whose connections are waited for. Empty means not to wait.
    type: list
    elements: int
    default: []
  deadline:
    description: Seconds to wait until no connection is left.
    type: int
    default: 300
  user:
    description: Account that runs the command. The application's own by default.
    type: str
  root:
    description: Folder that holds the applications.
    type: path
    default: /opt
attributes:
  check_mode:
    description: Can run in C(check_mode) and count the connections without asking or waiting.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: none
"""

EXAMPLES = r"""
- name: Ask the clients that moved to come over, and wait for them
  greenlight.deploy.drain:
    app: mobile-sync
    colour: blue
    command: [python, manage.py, drain, --classes, "{classes}", --over, "{seconds}"]
    classes: [c00, c01, c02]
    over: 5
    ports: [8101, 8102]
    deadline: 60
"""

RETURN = r"""
asked:
  description: The classes that were asked to leave, as the command got them. Empty when nobody was asked.
  returned: always
  type: str
  sample: "0-9"
connections:
  description: Connections to the ports before and after, and the seconds in between.
  returned: always
  type: dict
  sample: {before: 151, after: 0, seconds: 5.5}
"""

import time
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import run as run_command
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.drain import (
    Emptying,
    fill,
    ranges,
    wait_until_empty,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.sockets import ESTABLISHED

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "colour": {"type": "str", "choices": ["blue", "green"], "required": True},
    "command": {"type": "list", "elements": "str", "default": []},
    "classes": {"type": "list", "elements": "str", "default": []},
    "over": {"type": "int", "default": 20},
    "ports": {"type": "list", "elements": "int", "default": []},
    "deadline": {"type": "int", "default": 300},
    "user": {"type": "str"},
    "root": {"type": "path", "default": "/opt"},
}
COMMAND_SECONDS = 60


def ask(wanted: Mapping[str, Any]) -> None:
    """Run the application's drain command as its services run: same account, environment file and directory."""
    app, colour = wanted["app"], wanted["colour"]
    release = Path(wanted["root"], app, colour)
    python = str(release / "venv/bin/python")
    command = fill(wanted["command"], classes=wanted["classes"], seconds=wanted["over"], colour=colour, python=python)
    properties = {
        "User": wanted["user"] or app,
        "WorkingDirectory": release,
        "EnvironmentFile": f"/etc/greenlight/{app}/{colour}.env",
        "RuntimeMaxSec": COMMAND_SECONDS,
    }
    words = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect"]
    words += [f"--property={name}={value}" for name, value in properties.items()]
    run_command(
        [*words, "--", *command], Context(directory=Path("/"), timeout=COMMAND_SECONDS + 10), what="drain command"
    )


def connections(ports: Collection[int]) -> int:
    """Established connections to these local ports."""
    return sum(
        socket.state == ESTABLISHED and int(socket.local.rpartition(":")[2]) in ports for socket in Kernel().sockets()
    )


def act(module: AnsibleModule) -> dict[str, Any]:
    """Ask, then wait until nobody is left or the deadline has passed."""
    wanted = module.params
    asking = bool(wanted["command"] and wanted["classes"])
    if asking and not module.check_mode:
        ask(wanted)
    emptying = Emptying(0, 0, 0.0)
    if wanted["ports"]:
        deadline = 0 if module.check_mode else wanted["deadline"]
        emptying = wait_until_empty(lambda: connections(wanted["ports"]), deadline, time.monotonic, time.sleep)
    asked = ranges(wanted["classes"]) if asking else ""
    return {"changed": asking, "asked": asked, "connections": asdict(emptying)}


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
