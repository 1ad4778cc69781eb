# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: app_instances
short_description: Start, stop or remove the instances of one colour of an application
version_added: 0.1.0
author: Greenlight contributors (@greenlight)
extends_documentation_fragment: greenlight.deploy.releases
description:
  - Brings all services of one colour on a host to the wanted state in one call, as hardened systemd units. The template
    C(<app>-<service>-<colour>@.service) is started once for each port.
  - The release that the colour runs, its environment file, its units and the packet filter for its ports are set first;
    only what has to be is started or restarted.
  - A started colour is ready when every instance holds its port, answers its health and readiness paths and a WebSocket
    handshake several times in a row, and has not been restarted for a while. All instances are asked side by side.
  - When an instance does not become ready, the module fails with what it was asked, what it answered and what it wrote
    to the journal, and the colour is put back to what it had been.
  - The instances also get C(GREENLIGHT_CONTROL_TOKEN), made once on the host, which M(greenlight.deploy.drain) brings
    when it asks them.
  - The colour that serves clients is never restarted, stopped, removed or given another release.
  - A colour that is started or removed is not stopped later by M(greenlight.deploy.retirement) any more.
options:
  colour:
    description: The colour.
    type: str
    choices: [blue, green]
    required: true
  state:
    description:
      - V(started) means running, ready, and started again after a reboot.
      - V(stopped) means not running, also after a reboot, but installed.
      - V(absent) removes units, environment file and the colour's link.
    type: str
    choices: [started, stopped, absent]
    default: started
  serving:
    description: The colour that serves clients now, empty when none does.
    type: str
    choices: [blue, green, ""]
    default: ""
  release:
    description: Id of a complete release on this host. Required with O(state=started).
    type: str
    default: ""
  version:
    description: What people call the release. The application sees it as C(GREENLIGHT_VERSION).
    type: str
    default: ""
  user:
    description: The application's own user. Defaults to O(app).
    type: str
  services:
    description: The services. Required with O(state=started).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the service.
        type: str
        required: true
      runner:
        description: What runs it. V(command) is any program that listens on the port that it is told.
        type: str
        choices: [daphne, command]
        default: daphne
      application:
        description: Import path of the ASGI application, for V(daphne).
        type: str
        default: ""
      command:
        description: Words of the command, for V(command). C({port}) and C({address}) in them are filled in.
        type: list
        elements: str
        default: []
      arguments:
        description: Further words for the runner.
        type: list
        elements: str
        default: []
      instances:
        description: How many of it run on each host.
        type: int
        default: 1
      ports:
        description: Port of the first instance in each colour; the others follow.
        type: dict
        required: true
        suboptions:
          blue:
            description: First port of blue.
            type: int
            required: true
          green:
            description: First port of green.
            type: int
            required: true
      probe:
        description: Whether it answers O(health). Of a service that does not, only the port is asked.
        type: bool
        default: true
  address:
    description: The one address that the instances listen on.
    type: str
    default: 127.0.0.1
  proxies:
    description: Addresses that may connect when O(address) is a network address, besides this host's own.
    type: list
    elements: str
    default: []
  firewall:
    description: Whether to keep all others out with an nftables table of the application's own.
    type: bool
    default: true
  environment:
    description: Environment variables of the instances.
    type: dict
    default: {}
  secrets:
    description: More environment variables, whose values are never shown.
    type: dict
    default: {}
  connections:
    description: Sockets that an instance must be able to hold; sets the limit of open files.
    type: int
    default: 1000
  stop_timeout:
    description: Seconds that an instance may take to stop.
    type: float
    default: 30
  directives:
    description: Directives for the section C([Service]) of the units, such as C(MemoryMax). They win over the module's.
    type: dict
    default: {}
  host:
    description: Name under which clients reach the application, for the C(Host) header of the probes.
    type: str
    default: ""
  health:
    description: Paths that are asked. An empty path is not.
    type: dict
    default: {}
    suboptions:
      path:
        description: Path that answers 200 as long as the process lives.
        type: str
        default: ""
      readiness:
        description: Path that answers 200 when all that the process needs is there.
        type: str
        default: ""
      websocket:
        description: Path of a WebSocket.
        type: str
        default: ""
  expect:
    description: Members that the JSON answer of the health path must have.
    type: dict
    default: {}
  readiness:
    description: What readiness takes.
    type: dict
    default: {}
    suboptions:
      timeout:
        description: Seconds for all instances together, from their start.
        type: float
        default: 60
      refusal:
        description:
          - Seconds for which an instance that is up may answer its health or readiness path with anything but 200.
          - A process that is slow to start has all of O(readiness.timeout), one that is broken is found sooner.
        type: float
        default: 600
      interval:
        description: Seconds between two rounds of questions.
        type: float
        default: 1
      probe_timeout:
        description: Seconds for each question.
        type: float
        default: 5
      successes:
        description: Good rounds in a row.
        type: int
        default: 3
      steady:
        description: Seconds without a restart.
        type: float
        default: 10
attributes:
  check_mode:
    description: Can run in C(check_mode) and say what it would do.
    support: full
  diff_mode:
    description: Will return unit texts, and the names of environment variables that change, never their values.
    support: full
"""

EXAMPLES = r"""
- name: Start the new release in green
  greenlight.deploy.app_instances:
    app: mobile-sync
    colour: green
    serving: blue
    release: 20261122T124500Z-1a2b3c4
    version: v2.0.0-sync
    address: 10.0.0.21
    proxies: [10.0.0.11]
    services:
      - name: web
        application: mobile_sync.asgi:application
        instances: 2
        ports: {blue: 8101, green: 8201}
    health: {path: /health, readiness: /readiness, websocket: /ws/sync}
    host: sync.example.com
    environment: {DJANGO_ALLOWED_HOSTS: sync.example.com}
    secrets: "{{ vault_secrets }}"

- name: Stop blue
  greenlight.deploy.app_instances:
    app: mobile-sync
    colour: blue
    serving: green
    state: stopped
"""

RETURN = r"""
colour:
  description: The colour.
  returned: always
  type: str
release:
  description: The release that it runs.
  returned: always
  type: str
address:
  description: The address that its instances listen on.
  returned: when O(state) is V(started)
  type: str
units:
  description: Its instances.
  returned: always
  type: list
  elements: dict
  sample:
    - {unit: mobile-sync-web-green@8201.service, service: web, port: 8201, pid: 4711, restarts: 0, ready_seconds: 10.4}
actions:
  description: What was done, or would be done.
  returned: always
  type: list
  elements: str
  sample: [environment, link, start mobile-sync-web-green@8201.service]
ready_seconds:
  description: Seconds until all instances were ready.
  returned: always
  type: float
firewall:
  description: Whether the packet filter was C(loaded) or C(unchanged), or there is C(none).
  returned: when O(state) is V(started)
  type: str
previous:
  description: What the colour had been before.
  returned: always
  type: dict
  sample: {release: 20261120T101500Z-9f8e7d6, running: []}
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build.secrecy import take_secrets
from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.retire.host import Retirements
from ansible_collections.greenlight.deploy.plugins.module_utils.services.colour import Place
from ansible_collections.greenlight.deploy.plugins.module_utils.services.control_token import ControlToken
from ansible_collections.greenlight.deploy.plugins.module_utils.services.convergence import Host, Outcome
from ansible_collections.greenlight.deploy.plugins.module_utils.services.environment import changed_names
from ansible_collections.greenlight.deploy.plugins.module_utils.services.instances import COLOURS, parse_services
from ansible_collections.greenlight.deploy.plugins.module_utils.services.nftables import LOADED, NONE, UNCHANGED
from ansible_collections.greenlight.deploy.plugins.module_utils.services.order import Order
from ansible_collections.greenlight.deploy.plugins.module_utils.services.probing import Questions
from ansible_collections.greenlight.deploy.plugins.module_utils.services.readiness import Watch, limits_from
from ansible_collections.greenlight.deploy.plugins.module_utils.services.systemd import Systemd

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

CONFIGURATION = Path("/etc/greenlight")

PORTS: dict[str, Any] = {colour: {"type": "int", "required": True} for colour in COLOURS}
SERVICE: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "runner": {"type": "str", "choices": ["daphne", "command"], "default": "daphne"},
    "application": {"type": "str", "default": ""},
    "command": {"type": "list", "elements": "str", "default": []},
    "arguments": {"type": "list", "elements": "str", "default": []},
    "instances": {"type": "int", "default": 1},
    "ports": {"type": "dict", "required": True, "options": PORTS},
    "probe": {"type": "bool", "default": True},
}
HEALTH: dict[str, Any] = {name: {"type": "str", "default": ""} for name in ("path", "readiness", "websocket")}
READINESS: dict[str, Any] = {
    "timeout": {"type": "float", "default": 60},
    "refusal": {"type": "float", "default": 600},
    "interval": {"type": "float", "default": 1},
    "probe_timeout": {"type": "float", "default": 5},
    "successes": {"type": "int", "default": 3},
    "steady": {"type": "float", "default": 10},
}
ARGUMENTS: dict[str, Any] = {
    "app": {"type": "str", "required": True},
    "colour": {"type": "str", "choices": list(COLOURS), "required": True},
    "state": {"type": "str", "choices": ["started", "stopped", "absent"], "default": "started"},
    "serving": {"type": "str", "choices": [*COLOURS, ""], "default": ""},
    "release": {"type": "str", "default": ""},
    "version": {"type": "str", "default": ""},
    "root": {"type": "path", "default": "/opt"},
    "user": {"type": "str"},
    "services": {"type": "list", "elements": "dict", "default": [], "options": SERVICE},
    "address": {"type": "str", "default": "127.0.0.1"},
    "proxies": {"type": "list", "elements": "str", "default": []},
    "firewall": {"type": "bool", "default": True},
    "environment": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "connections": {"type": "int", "default": 1000},
    "stop_timeout": {"type": "float", "default": 30},
    "directives": {"type": "dict", "default": {}},
    "host": {"type": "str", "default": ""},
    "health": {"type": "dict", "default": {}, "options": HEALTH, "apply_defaults": True},
    "expect": {"type": "dict", "default": {}},
    "readiness": {"type": "dict", "default": {}, "options": READINESS, "apply_defaults": True},
}


def converge(module: AnsibleModule) -> dict[str, Any]:
    """Bring the colour to the wanted state."""
    given = {**module.params, "secrets": take_secrets(module, "secrets")}
    place = Place(Store(given["app"], given["root"]), given["colour"], CONFIGURATION / given["app"])
    token = ControlToken(given["app"])
    host = Host(place, Systemd(given["stop_timeout"]), token, given["serving"], module.check_mode)
    if given["state"] != "stopped":
        Retirements(given["app"], host.systemd).cancel(given["colour"], check=module.check_mode)
    if given["state"] == "started":
        order = _order(given, place)
        return {**_shown(module, _start(host, order, given)), "address": order.address}
    return _shown(module, host.end(gone=given["state"] == "absent"))


def _start(host: Host, order: Order, given: dict[str, Any]) -> Outcome:
    limits, health = limits_from(given["readiness"]), given["health"]
    questions = Questions(
        order.address,
        order.release,
        given["host"],
        health["path"],
        health["readiness"],
        health["websocket"],
        given["expect"],
        limits.probe_timeout,
    )
    return host.start(order, questions, limits)


def _order(given: dict[str, Any], place: Place) -> Order:
    names = ("app", "colour", "release", "version", "address", "firewall", "environment", "secrets", "connections")
    return Order(
        **{name: given[name] for name in names},
        user=given["user"] or given["app"],
        services=parse_services(given["services"], given["address"]),
        home=str(place.store.home),
        configuration=str(place.configuration),
        proxies=tuple(given["proxies"]),
        stop_timeout=given["stop_timeout"],
        directives={str(name): str(value) for name, value in given["directives"].items()},
    )


def _shown(module: AnsibleModule, outcome: Outcome) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "changed": outcome.plan.changed,
        "colour": module.params["colour"],
        "release": outcome.wanted.release,
        "actions": outcome.plan.actions(),
        "units": [_unit(watch) for watch in outcome.watches],
        "ready_seconds": max((round(watch.seconds, 2) for watch in outcome.watches), default=0.0),
        "previous": {"release": outcome.seen.release, "running": list(outcome.seen.up)},
    }
    if outcome.wanted.instances:
        shown["firewall"] = NONE if not outcome.guarded else LOADED if outcome.plan.firewall else UNCHANGED
    return {**shown, "diff": _diff(outcome)} if module._diff else shown


def _unit(watch: Watch) -> dict[str, Any]:
    return {
        "unit": watch.instance.unit,
        "service": watch.instance.service,
        "port": watch.instance.port,
        "pid": watch.unit.pid,
        "restarts": watch.unit.restarts,
        "ready_seconds": round(watch.seconds, 2),
    }


def _diff(outcome: Outcome) -> list[dict[str, str]]:
    """Unit texts before and after; of the environment only which names change."""
    old, new = outcome.seen.templates, outcome.wanted.templates
    files = [
        {"before_header": name, "after_header": name, "before": old.get(name, ""), "after": new.get(name, "")}
        for name in (*outcome.plan.write, *outcome.plan.delete)
    ]
    names = changed_names(outcome.seen.environment, outcome.wanted.environment)
    return [*files, {"prepared": "".join(f"environment {name}: {what}\n" for name, what in names.items())}]


def main() -> None:
    """Run the module."""
    run(converge, ARGUMENTS, required_if=[("state", "started", ("release", "services"))])


if __name__ == "__main__":
    main()
