#!/usr/bin/python
# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: traffic
short_description: Give a share of the clients to a colour, on one proxy, without a reload
version_added: 0.1.0
author: "Greenlight contributors (@greenlight)"
description:
  - Run it on each proxy. Clients fall into 100 classes; a share of 10 gives ten of them to the colour, always the same.
  - The switch is one rename of a symbolic link, so it acts on the next request and no connection is lost.
  - A proxy whose configuration C(nginx -t) refuses gets no share to give; the way home asks for nothing of the kind.
  - Afterwards the proxy itself is asked who answers. A client that a C(backup) saved from a dead colour counts as a
    failure of that colour.
  - Open WebSockets stay where they are; see RV(classes) for draining them.
  - A switch during a deployment is noted in its journal, see M(greenlight.deploy.deployment_journal).
attributes:
  check_mode:
    support: full
    description: Says what would change and which classes would move, and asks nothing.
  diff_mode:
    support: full
    description: Shows the record before and after.
options:
  app:
    description: Name of the application, as given to M(greenlight.deploy.nginx_site).
    type: str
    required: true
  colour:
    description:
      - The colour whose share is given. The other colour has the rest and takes over what this one fails to answer.
      - V(none) means that nobody is served (the proxy answers 503).
      - Left out, only the record is written, see O(releases) and O(bad).
    type: str
    choices: [blue, green, none]
  share:
    description:
      - Share of new clients for O(colour), from V(0) to V(100). Required with O(colour), unless O(settle) is given.
      - V(0) gives all clients back to the colour that serves.
    type: int
  settle:
    description:
      - All clients go to O(colour), which becomes the one that serves; the one before becomes RV(after.previous).
      - This is also the way back, to the colour of before.
    type: bool
    default: false
  releases:
    description: What to record about the release of each colour. Keys that are given replace those recorded.
    type: dict
    default: {}
    suboptions:
      blue:
        description: The release on blue.
        type: dict
        suboptions: &release
          id:
            description: Id of the release.
            type: str
          sha:
            description: Commit.
            type: str
          ref:
            description: The tag or branch that was asked for.
            type: str
          fingerprint:
            description: Stands for the configuration with which the release runs.
            type: str
          status:
            description: A word of the caller's, such as V(ready).
            type: str
      green:
        description: The release on green.
        type: dict
        suboptions: *release
  bad:
    description: Ids of releases to record as bad.
    type: list
    elements: str
    default: []
  verify:
    description: How many classes of each colour to ask about afterwards. V(0) asks nothing.
    type: int
    default: 3
  restore:
    description:
      - Whether a switch that the answers do not show is undone before the module fails.
      - Give V(false) on the way back from a release that is bad.
    type: bool
    default: true
  timeout:
    description: Seconds that one question may take.
    type: int
    default: 5
  deployment:
    description:
      - Id of the run that must have the lock of this proxy, see M(greenlight.deploy.deployment_lock). When another has
        it nothing is changed and the module fails.
    type: str
    default: ""
seealso:
  - module: greenlight.deploy.traffic_info
"""

EXAMPLES = r"""
- name: Give a tenth of the clients to green
  greenlight.deploy.traffic:
    app: mobile-sync
    colour: green
    share: 10

- name: Green serves from now on
  greenlight.deploy.traffic:
    app: mobile-sync
    colour: green
    settle: true

- name: Back to blue, and never again to that release
  greenlight.deploy.traffic:
    app: mobile-sync
    colour: blue
    settle: true
    restore: false
    bad: [20261122T124500Z-1a2b3c4]
"""

RETURN = r"""
before:
  description: The record before, with the name of the state.
  returned: success
  type: dict
  sample:
    state: blue
    serving: blue
    candidate: null
    share: 0
    previous: green
    releases: {blue: {id: 20261121T090000Z-7f3c2aa, ref: v1.0.0}, green: null}
    bad: []
    updated: "2026-11-21T09:14:07Z"
after:
  description: The record after.
  returned: success
  type: dict
  contains:
    state:
      description: C(blue), C(green), C(none), or candidate and share such as C(green-10).
      type: str
    serving:
      description: The colour that has the clients, or the rest of them.
      type: str
    candidate:
      description: The colour that a shift goes to, while it is under way.
      type: str
    share:
      description: The candidate's share of new clients.
      type: int
    previous:
      description: The last good colour before C(serving).
      type: str
    releases:
      description: The release of each colour.
      type: dict
    bad:
      description: Releases that were bad.
      type: list
      elements: str
    good:
      description: Releases that have had all clients, the latest last.
      type: list
      elements: str
    updated:
      description: When the record was last changed (UTC).
      type: str
moved:
  description: The classes that changed colour by this call.
  returned: success
  type: dict
  sample: {classes: [c00, c01], from: blue, to: green}
classes:
  description:
    - The classes of each colour now. To drain a colour, ask its instances to close the sockets of the other colour's
      classes; this can be repeated, other than with RV(moved).
  returned: success
  type: dict
  sample: {blue: [c10, c11], green: [c00, c01]}
verified:
  description: How many questions were asked per colour meant, and how many were answered by it.
  returned: success
  type: dict
  sample: {blue: {asked: 3, answered: 3}, green: {asked: 3, answered: 3}}
asked:
  description: Each question with its answer.
  returned: success
  type: list
  elements: dict
  sample:
    - {class: c00, meant: green, colour: green, answered: "10.0.0.21:8201", status: 200, problem: ""}
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed, GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import clock
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.files import DeploymentFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.layout import Layout as LeaseLayout
from ansible_collections.greenlight.deploy.plugins.module_utils.module import run
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import ask, text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import Contact
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import TrafficFiles
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx import Nginx
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.state import RELEASE_KEYS
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.switch import Wish, carry_out
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Finding, Question

RELEASE = {"type": "dict", "options": {key: {"type": "str"} for key in RELEASE_KEYS}}
ARGUMENTS = {
    "app": {"type": "str", "required": True},
    "colour": {"type": "str", "choices": ["blue", "green", "none"]},
    "share": {"type": "int"},
    "settle": {"type": "bool", "default": False},
    "releases": {"type": "dict", "default": {}, "options": {"blue": RELEASE, "green": RELEASE}},
    "bad": {"type": "list", "elements": "str", "default": []},
    "verify": {"type": "int", "default": 3},
    "restore": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 5},
    "deployment": {"type": "str", "default": ""},
}


def wish_of(params: dict[str, Any]) -> Wish:
    """What the task asks for."""
    given = {colour: release for colour, release in params["releases"].items() if release}
    return Wish(
        colour=params["colour"] or "",
        share=params["share"],
        settle=params["settle"],
        releases={
            colour: {key: value for key, value in release.items() if value is not None}
            for colour, release in given.items()
        },
        bad=params["bad"],
        verify=text.number(params["verify"], "verify", 0, 100),
        restore=params["restore"],
    )


def act(module: AnsibleModule) -> dict[str, Any]:
    """Fulfil the wish on this proxy."""
    layout = Layout(text.app_name(module.params["app"]))
    timeout = text.number(module.params["timeout"], "timeout", 1, 300)
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def find_out(contact: Contact, questions: Sequence[Question]) -> list[Finding]:
        return ask.find_out(contact, questions, timeout)

    wish = wish_of(module.params)
    deployments = DeploymentFiles(LeaseLayout(layout.app, layout.root))
    if module.params["deployment"] and not module.check_mode:
        require(deployments, module.params["deployment"])
    if wish.share and not module.check_mode:
        require_sound(Nginx())
    result = carry_out(TrafficFiles(layout.traffic), find_out, wish, now, check=module.check_mode)
    if result["changed"] and not module.check_mode:
        keep(deployments, result["before"], result["after"])
    return {**result, "diff": {"before": result["before"], "after": result["after"]}}


class NotOurs(GreenlightError):
    """Another run has the lock."""


def require(files: DeploymentFiles, deployment: str) -> None:
    """Raise :class:`NotOurs` unless this run has the lock."""
    lock = files.lock()
    if lock is None or lock.claim.deployment != deployment:
        has = f"{lock.claim.owner} has the lock for: {lock.claim.reason}" if lock else "nobody has the lock any more"
        raise NotOurs(
            has, where=str(files.layout.lock), expected=f"the lock of {deployment}", do="see what became of it"
        )


def require_sound(nginx: Nginx) -> None:
    """Raise :class:`CommandFailed` when this proxy could not start again; the way home asks for nothing of the kind."""
    if problem := nginx.problem():
        raise CommandFailed(
            f"it refuses its configuration as it is on the disk ({problem})",
            where="nginx -t",
            expected="a proxy that survives a restart in the middle of a shift",
            do="mend the file, or take it away",
        )


def keep(files: DeploymentFiles, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Note in the journal what was changed, when it was a deployment that did it."""
    lock = files.lock()
    if lock is None or before["state"] == after["state"]:
        return
    colour = after["candidate"] or after["serving"]
    data = {
        "step": f"{before['state']} -> {after['state']}",
        "colour": colour,
        "release": (after["releases"].get(colour) or {}).get("id"),
        "share": after["share"] if after["candidate"] else 100,
    }
    files.note(clock.now(), lock.claim.deployment, "traffic", data)


def main() -> None:
    run(
        act,
        ARGUMENTS,
        mutually_exclusive=[("share", "settle")],
        required_by={"share": "colour"},
    )


if __name__ == "__main__":
    main()
