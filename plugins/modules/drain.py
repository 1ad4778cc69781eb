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
extends_documentation_fragment: greenlight.deploy.releases
description:
  - Asks the application to close the WebSockets of the client classes that moved to the other colour, spread over some
    seconds. With the drain contract, which applications get from a small middleware, every instance of the colour on
    this host is asked by HTTP, side by side, and closes between two messages; otherwise by a command of the
    application's own.
  - Waits until the instances of the colour on this host have no WebSocket and no request left, or until a deadline. It
    cuts nothing itself, unless O(one_by_one) says so.
  - A traffic share moves new requests only; an open WebSocket stays where it is until somebody closes it.
options:
  colour:
    description: Colour that is emptied.
    type: str
    choices: [blue, green]
    required: true
  contract:
    description:
      - Ask the instances on O(ports) by the drain contract. They are asked where they listen, with the token of the
        colour's environment file on this host.
      - An instance that does not know the contract is told in a warning and counted by its connections; then
        O(command), if there is one, asks as well.
    type: bool
    default: false
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
    description: Client classes that are asked to leave, C(c00) to C(c99), or C(all). Nobody is asked when it is empty.
    type: list
    elements: str
    default: []
  over:
    description: Seconds over which the closing is spread.
    type: int
    default: 20
  code:
    description: Close code of the contract. V(1012) is used where the application says that its server can send it.
    type: int
    choices: [4012, 1012]
    default: 4012
  ports:
    description:
      - Ports of the colour's instances on this host, which are asked by the contract and waited for. Empty means to do
        neither.
    type: list
    elements: int
    default: []
  deadline:
    description: Seconds to wait until nothing is left. V(0) means to ask and not to wait.
    type: int
    default: 300
  one_by_one:
    description:
      - Restart, one after the other within O(over) seconds, the instances that have connections left at the deadline.
        It cuts them, in portions that come back one after the other; the instances are ready for a rollback at once.
      - For applications that cannot be asked at all. The deadline must be longer than the longest request.
    type: bool
    default: false
  user:
    description: Account that runs the command. The application's own by default.
    type: str
attributes:
  check_mode:
    description: Can run in C(check_mode) and count the connections without asking or waiting.
    support: full
  diff_mode:
    description: Will return details on what has changed when in diff mode.
    support: none
"""

EXAMPLES = r"""
- name: Ask the clients that moved to come over
  greenlight.deploy.drain:
    app: mobile-sync
    colour: blue
    contract: true
    classes: [c00, c01, c02]
    over: 5
    ports: [8101, 8102]
    deadline: 0

- name: Ask all who are left, and wait until the colour is empty
  greenlight.deploy.drain:
    app: mobile-sync
    colour: blue
    contract: true
    classes: [all]
    ports: [8101, 8102]
    deadline: 60

- name: The same for an application with a command of its own
  greenlight.deploy.drain:
    app: mobile-sync
    colour: blue
    command: [python, manage.py, drain, --classes, "{classes}", --over, "{seconds}"]
    classes: [all]
    ports: [8101, 8102]
    deadline: 60
"""

RETURN = r"""
asked:
  description: The classes that were asked to leave, as ranges. Empty when nobody was asked.
  returned: always
  type: str
  sample: "0-9"
sockets:
  description:
    - What became of the WebSockets on this host. C(before) were open, C(asked) to leave, C(closed) between two
      messages, gone C(by_themselves) although they were asked, still C(left) at the end, or C(cut) by O(one_by_one).
    - Without the contract nobody knows the difference. C(before) and C(left) are then connections of any kind,
      C(asked), C(closed) and C(by_themselves) are null.
  returned: always
  type: dict
  sample: {before: 151, asked: 151, closed: 149, by_themselves: 2, left: 0, cut: 0}
requests:
  description: HTTP requests that were still under way at the end, in instances that know the contract.
  returned: always
  type: int
  sample: 0
unanswered:
  description: The instances that did not answer by the contract, and why.
  returned: always
  type: list
  elements: dict
  sample: [{port: 8101, why: "it answered 404: it has no drain contract, or another token"}]
connections:
  description: Connections of any kind to the ports before and after, and the seconds in between.
  returned: always
  type: dict
  sample: {before: 151, after: 0, seconds: 5.5}
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import run as run_command
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import listeners
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contract import Contract
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.drain import MOVED, fill, ranges, request_body
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.emptying import Instances

ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "colour": {"type": "str", "choices": ["blue", "green"], "required": True},
    "contract": {"type": "bool", "default": False},
    "command": {"type": "list", "elements": "str", "default": []},
    "classes": {"type": "list", "elements": "str", "default": []},
    "over": {"type": "int", "default": 20},
    "code": {"type": "int", "choices": [MOVED, 1012], "default": MOVED},
    "ports": {"type": "list", "elements": "int", "default": []},
    "deadline": {"type": "int", "default": 300},
    "one_by_one": {"type": "bool", "default": False},
    "user": {"type": "str"},
    "root": {"type": "path", "default": "/opt"},
}
CONFIGURATION = Path("/etc/greenlight")
COMMAND_SECONDS = 60


def environment_file(wanted: Mapping[str, Any]) -> Path:
    """The file with the environment of the colour's instances."""
    return CONFIGURATION / wanted["app"] / f"{wanted['colour']}.env"


def ask_by_contract(module: AnsibleModule, instances: Instances) -> bool:
    """Ask every instance; whether any of them answered, so that it closes what it was asked to close."""
    wanted = module.params
    contract = Contract.of(environment_file(wanted), wanted["ports"], listeners())
    asking = wanted["classes"] and not module.check_mode
    instances.ask(contract, request_body(wanted["classes"], wanted["over"], wanted["code"]) if asking else b"")
    for report in instances.unanswered:
        module.warn(f"The instance on port {report.port} could not be asked by the drain contract: {report.why}.")
    return bool(wanted["classes"]) and instances.is_reached


def ask_by_command(wanted: Mapping[str, Any]) -> None:
    """Run the application's drain command as its services run: same account, environment file and directory."""
    app, colour = wanted["app"], wanted["colour"]
    release = Path(wanted["root"], app, colour)
    python = str(release / "venv/bin/python")
    command = fill(wanted["command"], classes=wanted["classes"], seconds=wanted["over"], colour=colour, python=python)
    properties = {
        "User": wanted["user"] or app,
        "WorkingDirectory": release,
        "EnvironmentFile": environment_file(wanted),
        "RuntimeMaxSec": COMMAND_SECONDS,
    }
    words = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect"]
    words += [f"--property={name}={value}" for name, value in properties.items()]
    run_command(
        [*words, "--", *command], Context(directory=Path("/"), timeout=COMMAND_SECONDS + 10), what="drain command"
    )


def ask(module: AnsibleModule, instances: Instances) -> bool:
    """Ask by the contract, and by the command those that do not know it; whether anybody was asked."""
    wanted = module.params
    is_asked = wanted["contract"] and ask_by_contract(module, instances)
    if not (wanted["command"] and wanted["classes"]) or (is_asked and not instances.unanswered):
        return bool(is_asked)
    if not module.check_mode:
        ask_by_command(wanted)
    return True


def act(module: AnsibleModule) -> dict[str, Any]:
    """Ask, then wait until nobody is left or the deadline has passed."""
    wanted = module.params
    instances = Instances(wanted["ports"])
    is_asked = ask(module, instances)
    seconds = instances.wait(0 if module.check_mode else wanted["deadline"])
    ledger = instances.ledger()
    if wanted["one_by_one"] and ledger.left and not module.check_mode:
        cut = instances.restart_one_by_one(listeners(), wanted["over"])
        ledger = replace(ledger, cut=cut, left=instances.now.total())
    return {
        "changed": is_asked or ledger.cut > 0,
        "asked": ranges(wanted["classes"]) if is_asked else "",
        "sockets": asdict(ledger),
        "requests": instances.requests,
        "unanswered": [{"port": report.port, "why": report.why} for report in instances.unanswered],
        "connections": {"before": instances.before.total(), "after": instances.now.total(), "seconds": seconds},
    }


def main() -> None:
    """Entry point."""
    run(act, ARGUMENTS)


if __name__ == "__main__":
    main()
