# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cells: each fault, in the phase in which it strikes, and what must come of it."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.drill.judge import Expect
from tests.drill.scene import FAULTY, FIRST, SECOND, Scene
from tests.stage import world
from tests.stage.command import Command
from tests.stage.project import APP, CA_FILE, DOMAIN
from tools import lab
from tools.console import Trouble
from tools.hosts import HOSTS
from tools.podman import podman

DONE = Expect(deployed=True, serving=SECOND)
LOST_HOST, SECOND_PROXY, BUILDS = "gl-app2", "gl-edge2", "gl-app1"
SPOILED = "/etc/nginx/conf.d/zz-drill.conf"
LATE_PYTHON = "/run/drill-late"
LATE_SECONDS = 300
STUBBORN = 5

Overrides = dict[str, dict[str, Any]]


Act = Callable[[Scene], None]
Moment = Callable[[Scene, Command], None]


@dataclass(frozen=True)
class Cell:
    """One fault in one phase. ``act`` makes it happen; ``clients`` says whether anybody is there to be hurt."""

    fault: str
    phase: str
    expect: Expect
    act: Act
    clients: bool = True
    short: bool = False

    @property
    def name(self) -> str:
        """As it is called on the command line."""
        return f"{self.fault}@{self.phase}".replace(" %", "").replace(",", "").replace(" ", "-")


def faulty(fault: str, **overrides: Any) -> Act:
    """Deploy a release with a fault, which begins with its first client."""
    return lambda scene: scene.finish(scene.deploy(FAULTY, fault, **overrides))


def good(**overrides: Any) -> Act:
    """Deploy a release without a fault, with other values of the description."""
    return lambda scene: scene.finish(scene.deploy(SECOND, **overrides))


def rotate_log(scene: Scene) -> None:
    """Rotate the access log of each proxy while the new colour is watched."""
    run = scene.deploy(SECOND)
    for share in (10, 50):
        scene.wait_for_share(share)
        time.sleep(2)
        for name in scene.project.proxies:
            lab.tell(HOSTS[name], f"logrotate --force /etc/logrotate.d/greenlight-{APP}")
    scene.finish(run)


def spoil_second_proxy(scene: Scene) -> None:
    """Let the second proxy refuse its configuration once the new release runs."""
    second = HOSTS[SECOND_PROXY]
    scene.after(lambda: lab.tell(second, f"rm -f {SPOILED}"))
    run = scene.deploy(SECOND)
    run.until(r"PLAY \[Services\]")
    lab.tell(second, f"echo 'this is no directive;' > {SPOILED}")
    scene.finish(run)


def lose_host(scene: Scene, share: int) -> None:
    """Switch an application host off at a share."""
    host = HOSTS[LOST_HOST]
    scene.after(lambda: lab.up([host]))
    run = scene.deploy(SECOND)
    scene.wait_for_share(share)
    podman("kill", "--signal", "KILL", host.name)
    scene.finish(run)


def kill_controller(scene: Scene, moment: Moment) -> None:
    """Kill the run at a moment, see the traffic go home, give the same command again."""
    with scene.deploy(SECOND) as run:
        moment(scene, run)
        run.kill()
    scene.wait_for_home()
    scene.finish(scene.deploy(SECOND))


def at_play(name: str) -> Moment:
    """The moment at which a play of site.yml begins to work."""

    def moment(_scene: Scene, run: Command) -> None:
        run.until(rf"PLAY \[{name}\]")
        time.sleep(2)

    return moment


def at_share(share: int) -> Moment:
    """The moment at which the candidate has a share for two seconds."""

    def moment(scene: Scene, _run: Command) -> None:
        scene.wait_for_share(share)
        time.sleep(2)

    return moment


def kill_and_roll_back(scene: Scene) -> None:
    """Kill the run in mid-shift and finish it by rollback.yml, at once."""
    with scene.deploy(SECOND) as run:
        scene.wait_for_share(50)
        run.kill()
    scene.finish(scene.roll_back())


def kill_and_go_on(scene: Scene) -> None:
    """Kill the run at 50 % and give the same command before the dead-man's switch acts: it goes on from there."""
    with scene.deploy(SECOND) as run:
        at_share(50)(scene, run)
        run.kill()
    built = releases()
    again = scene.deploy(SECOND)
    scene.finish(again)
    if not re.search(r"An earlier run did not finish on .*: .* goes on by 50 % -> 100 %", " ".join(again.said.split())):
        scene.miss(f"it did not go on from 50 %: {again.reason()[:120]}")
    if releases() != built:
        scene.miss(f"it built again: {built} became {releases()}")


def kill_and_deploy_another(scene: Scene) -> None:
    """Kill the run at 50 % and deploy another version: every client goes home before anything else."""
    with scene.deploy(SECOND) as run:
        at_share(50)(scene, run)
        run.kill()
    another = scene.deploy(FAULTY)
    another.until(r"PLAY \[Release\]")
    states = {proxy.name: proxy.state for proxy in world.look(scene.project)}
    if set(states.values()) != {"blue"}:
        scene.miss(f"the clients were not home before the release was built: {states}")
    scene.finish(another)


def releases() -> list[str]:
    """What is installed on the host that builds."""
    return lab.tell(HOSTS[BUILDS], f"ls /opt/{APP}/releases").split()


def roll_back_during(scene: Scene, share: int) -> None:
    """Roll back from a second terminal at a share: the clients go home, and the run that deploys ends by itself."""
    run = scene.deploy(SECOND)
    at_share(share)(scene, run)
    back = scene.roll_back()
    if back.wait():
        scene.miss(f"the rollback failed: {back.reason()[:120]}")
    scene.note(f"rolled back in {back.seconds:.0f} s")
    scene.finish(run)


def two_operators(scene: Scene) -> None:
    """Two people deploy at once: the second one is told so, the first one does it."""
    first = scene.deploy(SECOND)
    first.until(r"PLAY \[Release\]")
    second = scene.deploy(SECOND, greenlight_lock={"wait": 2})
    status = second.wait()
    if status == 0 or "lock" not in second.said.lower():
        scene.miss(f"the second operator got exit status {status}: {second.reason()[:120]}")
    scene.note(f"second operator refused after {second.seconds:.0f} s")
    scene.finish(first)


def twice(scene: Scene) -> None:
    """The same deployment again changes nothing and says so."""
    run = scene.deploy(FIRST)
    scene.finish(run)
    if run.seconds > 10:
        scene.miss(f"a deployment with nothing to do took {run.seconds:.0f} s, expected at most 10 s")


def unknown_colour(scene: Scene) -> None:
    """Roll back to a colour that there is not."""
    scene.finish(scene.roll_back(rollback_colour="purple"))


def ignored_drain(scene: Scene) -> None:
    """The release that serves does not let its sockets go: deploy it, then another one over it."""
    serving = scene.deploy(FAULTY, "ignore_drain")
    if serving.wait():
        raise Trouble(f"The release that ignores its drain was not deployed.\n{serving.last_words()}")
    scene.finish(scene.deploy(SECOND, "", greenlight_drain={"deadline": 5}))


def stubborn_clients(scene: Scene) -> None:
    """Clients that neither answer a close nor hang up."""
    address = scene.project.edge.address
    clients = [stubborn_client(address, number) for number in range(STUBBORN)]
    for client in clients:
        scene.after(client.close)
    scene.finish(scene.deploy(SECOND))


def stubborn_client(address: str, number: int) -> ssl.SSLSocket:
    """A WebSocket whose client reads its greeting and never says or reads anything again."""
    context = ssl.create_default_context(cafile=str(CA_FILE))
    client = context.wrap_socket(socket.create_connection((address, 443), timeout=10), server_hostname=DOMAIN)
    client.sendall(
        f"GET /ws/sync HTTP/1.1\r\nHost: {DOMAIN}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        f"X-Device-Id: stubborn-{number}\r\n\r\n".encode()
    )
    greeting = client.recv(4096)
    if not greeting.startswith(b"HTTP/1.1 101 "):
        raise Trouble(f"A WebSocket was not opened: {greeting[:60]!r}")
    return client


def late_clock(scene: Scene) -> None:
    """What runs by Ansible on one host believes that it is five minutes later there.

    Containers share the clock of their machine, so the host's Python gets a clock of its own.
    """
    host = HOSTS[LOST_HOST]
    scene.after(lambda: lab.tell(host, f"rm -rf {LATE_PYTHON}"))
    lab.tell(
        host,
        f"""\
set -eu
mkdir -p {LATE_PYTHON}
echo 'import time; now = time.time; time.time = lambda: now() + {LATE_SECONDS}' > {LATE_PYTHON}/sitecustomize.py
printf '#!/bin/sh\\nPYTHONPATH={LATE_PYTHON} exec /usr/bin/python3 "$@"\\n' > {LATE_PYTHON}/python3
chmod 755 {LATE_PYTHON}/python3
""",
    )
    usual = "ansible_playbook_python if inventory_hostname == 'localhost' else '/usr/bin/python3'"
    interpreter = f"{{{{ '{LATE_PYTHON}/python3' if inventory_hostname == '{host.name}' else {usual} }}}}"
    scene.finish(scene.deploy(SECOND, ansible_python_interpreter=interpreter))


def refused(why: str, failed_percent: float = 0.0) -> Expect:
    """The old version goes on, for this reason; some of a candidate's first clients may be hurt."""
    return Expect(deployed=False, serving=FIRST, failed_percent=failed_percent, why=why)


LATER = "wait_for_clients"
WIDE: Overrides = {"greenlight_traffic": {"pause": 20}, "greenlight_gate": {"window": 10, "minimum_requests": 30}}
LONG: Overrides = {"greenlight_traffic": {"pause": 12}}
SLOWLY: Overrides = {**LONG, "greenlight_drain": {"over": 6}}
SILENT: Overrides = {"greenlight_gate": {"synthetic": False, "decision_timeout": 3, "measure_errors": 2}}

OVERTAKEN = "every client was sent back to blue meanwhile|took the lock over at"

CELLS = (
    Cell("crashes at once", "start", refused("start the new release"), faulty("crash_at_once")),
    Cell("crashes after 3 s", "10 %", refused("at 10 %", 0.5), faulty(f"crash_after=3,{LATER}", **LONG)),
    Cell("answers 500 to all", "smoke", refused("start the new release|smoke"), faulty("errors=100")),
    Cell("answers 500 to all", "10 %", refused("at 10 %", 2.0), faulty(f"errors=100,{LATER}"), short=True),
    # Six requests a second show five errors in a hundred within 20 s in four cases of five, those of 50 % always.
    Cell("answers 500 to 5 %", "10 %", refused("at (10|50) %", 0.5), faulty(f"errors=5,{LATER}", **WIDE)),
    Cell("slow p99", "10 %", refused("at 10 %"), faulty(f"slow=3,{LATER}", **WIDE)),
    Cell("refuses WebSockets", "10 %", refused("at 10 %", 15.0), faulty(f"refuse_websockets,{LATER}", **SLOWLY)),
    Cell("no traffic, probes", "10 %", DONE, good(), clients=False),
    Cell("no traffic, no probes", "10 %", refused("at 10 %"), good(**SILENT), clients=False),
    Cell("log rotated", "10 %", DONE, rotate_log),
    Cell("second proxy fails", "10 %", refused(SECOND_PROXY), spoil_second_proxy),
    Cell("app host lost", "10 %", refused(LOST_HOST, 2.0), partial(lose_host, share=10)),
    Cell("app host lost", "50 %", refused(LOST_HOST, 2.0), partial(lose_host, share=50)),
    Cell("controller killed", "release", DONE, partial(kill_controller, moment=at_play("Release"))),
    Cell("controller killed", "services", DONE, partial(kill_controller, moment=at_play("Services"))),
    Cell("controller killed", "10 %", DONE, partial(kill_controller, moment=at_share(10))),
    Cell("controller killed", "50 %", DONE, partial(kill_controller, moment=at_share(50)), short=True),
    Cell("controller killed", "100 %", DONE, partial(kill_controller, moment=at_share(100))),
    Cell("controller killed", "verdict", DONE, partial(kill_controller, moment=at_play("Verdict"))),
    Cell("killed, rolled back", "50 %", Expect(deployed=True, serving=FIRST), kill_and_roll_back),
    Cell("killed, gone on", "50 %", DONE, kill_and_go_on),
    Cell("killed, another version", "50 %", Expect(deployed=True, serving=FAULTY), kill_and_deploy_another),
    Cell("rolled back meanwhile", "10 %", refused(OVERTAKEN), partial(roll_back_during, share=10)),
    Cell("rolled back meanwhile", "50 %", refused(OVERTAKEN), partial(roll_back_during, share=50)),
    Cell("two operators", "release", DONE, two_operators),
    Cell("deployed twice", "preflight", Expect(deployed=True, serving=FIRST, why="Nothing to do"), twice),
    Cell(
        "share of 120", "preflight", refused("no ramp"),
        good(greenlight_traffic={"steps": [10, 120]}), short=True,
    ),
    Cell("colour unknown", "rollback", refused("purple"), unknown_colour, short=True),
    Cell("drain deadline 0", "drain", DONE, good(greenlight_drain={"deadline": 0})),
    # Nobody is cut: they stay until they go, and the colour that they are on is not stopped before.
    Cell("drain ignored", "drain", Expect(deployed=True, serving=SECOND, moved=False), ignored_drain),
    Cell("client never closes", "drain", DONE, stubborn_clients),
    Cell("clock 5 minutes off", "preflight", refused("clock"), late_clock),
)  # fmt: skip
