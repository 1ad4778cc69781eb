# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to bring a version to the clients that are measured beside each other, on the same hosts."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

from tests.stage import command, world
from tests.stage.command import Command
from tests.stage.project import DOMAIN, Project
from tools import demo_project, lab, wheels
from tools.console import Trouble
from tools.example import REPOSITORIES
from tools.hosts import HOSTS, Host
from tools.places import LOGS, ROOT

FIRST, SECOND, BAD = "v1.0.0", "v2.0.0-sync", "v2.2.0-faulty"
FAULT = "errors=100,wait_for_clients"
FILES = ROOT / "tests/bench/files"
REPOSITORY = "git://10.99.77.1/mobile_sync.git"
OTHERS_PORT = 9443
PAUSE = 4.0
LISTEN_SECONDS = 30.0


class Way(Protocol):
    """One way to deploy."""

    @property
    def label(self) -> str:
        """What the table calls it."""

    @property
    def port(self) -> int:
        """Where the clients come in, on the proxy."""

    def begin(self) -> None:
        """Let the first version serve everybody; nothing of it is measured."""

    def deploy(self, ref: str) -> None:
        """Bring a version to every client; return when the operator has the prompt again."""

    def back(self) -> None:
        """Bring the first version back."""


class Ours:
    """This collection. ``run`` is its last command."""

    label, port = "Greenlight", 443

    def __init__(self, project: Project) -> None:
        self._project = project
        self.run: Command | None = None

    def begin(self) -> None:
        """A deployment, also where the first version serves: the proxy is set up before there are clients."""
        self.deploy(FIRST)

    def deploy(self, ref: str) -> None:
        """``site.yml``; it must refuse the bad release."""
        self._wait(command.site(self._project, f"bench-ours-{ref}", {"greenlight_ref": ref}), refuses=ref == BAD)

    def back(self) -> None:
        """``rollback.yml --tags traffic``; after a bad release there is nothing to do, site.yml has gone back."""
        if not all(proxy.version == FIRST for proxy in world.look(self._project)):
            self._wait(command.rollback(self._project, "bench-ours-back"), refuses=False)

    def _wait(self, run: Command, *, refuses: bool) -> None:
        self.run = run
        with run:
            if (run.wait() != 0) != refuses:
                raise Trouble(f"It did not end as it should.\n{run.last_words()}")


class Others:
    """What the other ways share: an application host is a checkout and a unit, the proxy has a server of its own."""

    port = OTHERS_PORT

    def __init__(self, project: Project) -> None:
        self._project = project
        self._apps = [HOSTS[name] for name in project.apps]

    def balance(self, weights: Sequence[tuple[int, int]]) -> None:
        """Give each port of all application hosts its weight, and reload nginx."""
        words = [f"{host.address}:{port}={weight}" for port, weight in weights for host in self._apps]
        on(self._project.edge, "balance", *words)

    def start(self, service: str, port: int) -> None:
        """Let a unit run everywhere, and wait until it answers."""
        for host in self._apps:
            lab.on(host, "systemctl", "restart", service)
        for host in self._apps:
            wait_for(host, port)


class Restart(Others):
    """The runbook's code deployment, host after host."""

    label = "runbook, restart in place"

    def begin(self) -> None:
        """The first version, everywhere."""
        for host in self._apps:
            on(host, "back", FIRST, "/opt/intelliwiz", "daphne", "8000")
        self.balance([(8000, 1)])

    def deploy(self, ref: str) -> None:
        """Fetch, install, migrate once, restart."""
        for host in self._apps:
            migrate = ["migrate"] if host is self._apps[0] else []
            on(host, "deploy", ref, "/opt/intelliwiz", "daphne", "8000", *migrate)

    def back(self) -> None:
        """The earlier code, and a restart."""
        for host in self._apps:
            on(host, "back", FIRST, "/opt/intelliwiz", "daphne", "8000")


class BlueGreen(Others):
    """The runbook's blue-green deployment: weights in nginx's configuration, and a reload for each."""

    label = "runbook, blue-green by reload"
    blue, green = ("daphne-blue", 8001), ("daphne-green", 8002)

    def begin(self) -> None:
        """The first version on blue, everywhere."""
        for host in self._apps:
            on(host, "back", FIRST, "/opt/intelliwiz-blue", *map(str, self.blue))
        self.balance([(self.blue[1], 1), (self.green[1], 0)])

    def deploy(self, ref: str) -> None:
        """Green without clients, then 10, 50 and 100 %; when blue was kept for a while it is stopped."""
        for host in self._apps:
            migrate = ["migrate"] if host is self._apps[0] else []
            on(host, "deploy", ref, "/opt/intelliwiz-green", *map(str, self.green), *migrate)
        for share in (10, 50, 100):
            self.balance([(self.blue[1], 100 - share), (self.green[1], share)])
            time.sleep(PAUSE)
        for host in self._apps:
            lab.on(host, "systemctl", "stop", self.blue[0])

    def back(self) -> None:
        """Blue, which a careful operator has kept, and a reload; then green is stopped."""
        self.start(*self.blue)
        self.balance([(self.blue[1], 1), (self.green[1], 0)])
        time.sleep(PAUSE)
        for host in self._apps:
            lab.on(host, "systemctl", "stop", self.green[0])


class Link(Others):
    """Releases, a link and a restart, by a playbook."""

    label = "link and restart, as Ansistrano documents it"
    service, listens = "daphne-current", 8003

    def begin(self) -> None:
        """The first version by the same playbook."""
        self.deploy(FIRST)
        self.balance([(self.listens, 1)])

    def deploy(self, ref: str) -> None:
        """Its steps on all hosts side by side, as Ansible does."""
        stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())
        told = {"bench_ref": ref, "bench_stamp": stamp, "bench_repository": REPOSITORY}
        self._play("link_deploy.yml", {**told, "bench_installer": wheels.INSTALLER})

    def back(self) -> None:
        """The link to the release before, and a restart."""
        self._play("link_back.yml", {})

    def _play(self, name: str, variables: Mapping[str, object]) -> None:
        with Command(self._project, f"bench-{name}", [str(FILES / name)], variables) as run:
            if run.wait():
                raise Trouble(f"{name} failed.\n{run.last_words()}")
        for host in self._apps:
            wait_for(host, self.listens)


def on(host: Host, script: str, *words: str) -> str:
    """Run one of the shell scripts beside this file on a host, with arguments."""
    return lab.on(host, "sh", "-s", "--", *words, feed=(FILES / script).read_text())


def wait_for(host: Host, port: int) -> None:
    """Wait until something answers on a port of an application host."""
    turns = round(LISTEN_SECONDS / 0.2)
    ask = f"curl -sf -o /dev/null http://127.0.0.1:{port}/health"
    lab.on(host, "sh", "-c", f"i=0; until {ask}; do i=$((i+1)); [ $i -lt {turns} ] || exit 1; sleep 0.2; done")


@contextmanager
def repositories() -> Iterator[None]:
    """Serve the example's repository to the hosts: they fetch it themselves, which ours need not."""
    words = ["git", "daemon", f"--base-path={REPOSITORIES}", "--export-all", "--reuseaddr", "--listen=10.99.77.1"]
    with (LOGS / "bench-git.log").open("w") as log:
        served = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(served.pid, 15)
        served.wait()


def prepare_others(project: Project, environment: dict[str, str]) -> None:
    """Install on the hosts what the other ways need."""
    text = "".join(f"{name}='{value}'\n" for name, value in environment.items())
    for name in project.apps:
        script = f"feed=$(cat <<'ENVIRONMENT'\n{text}ENVIRONMENT\n)\n"
        lab.tell(HOSTS[name], install_script(script, FIRST))
    lab.tell(project.edge, site_script())
    Others(project).balance([(8000, 1)])  # a server without an upstream is none that nginx takes


def install_script(environment: str, ref: str) -> str:
    """The script of a host, with the environment in front of it: neither is seen in a process list."""
    return f"{environment}set -- {REPOSITORY} {ref}\n" + (FILES / "prepare").read_text()


def site_script() -> str:
    """The script that gives the proxy its second server."""
    files = {
        "/etc/nginx/bench.crt": (demo_project.TLS / f"{DOMAIN}.crt").read_text(),
        "/etc/nginx/bench.key": (demo_project.TLS / f"{DOMAIN}.key").read_text(),
        "/etc/nginx/conf.d/bench.conf": (FILES / "bench.nginx").read_text().replace("DOMAIN", DOMAIN),
    }
    lines = [f"cat > {path} <<'TEXT'\n{text.rstrip()}\nTEXT\n" for path, text in files.items()]
    return "set -eu\numask 077\n" + "".join(lines)
