"""The programs that the tests start: PostgreSQL, Redis, and releases of the application under Daphne."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_client import probe_http

EXAMPLE = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("MOBILE_SYNC_PYTHON", sys.executable)
WAIT_SECONDS = 30.0
CONTROL_TOKEN = "the token of these tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Asks until `condition` holds; AssertionError after WAIT_SECONDS."""
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, f"{what} within {WAIT_SECONDS:.0f} s"
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Server:
    """A program that this test started, and can stop, kill and start again."""

    command: list[str]
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, env={**os.environ, **self.environment}, cwd=self.folder, stdout=subprocess.DEVNULL
        )
        wait_until(lambda: listens(self.port), f"{self.command[0]} listens")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(WAIT_SECONDS)


@dataclass
class Postgres(Server):
    """A cluster of its own below `top`; the program refuses to run as root, so it runs as `postgres` then."""

    top: Path = Path()

    @classmethod
    def create(cls) -> Postgres:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
        assert programs, "no PostgreSQL below /usr/lib/postgresql: install postgresql and its PostGIS"
        top = Path(tempfile.mkdtemp(prefix="mobile-sync-"))
        become = [] if os.geteuid() else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        if become:
            os.chown(top, pwd.getpwnam("postgres").pw_uid, -1)
        port = free_port()
        initdb = [
            f"{programs[-1]}/initdb",
            "-D",
            f"{top}/data",
            "-U",
            "admin",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run([*become, *initdb], check=True, cwd=top, capture_output=True)
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": top, "port": port, "fsync": "off"}
        options = [f"--{name}={value}" for name, value in settings.items()]
        return cls([*become, f"{programs[-1]}/postgres", "-D", f"{top}/data", *options], port, folder=top, top=top)

    def start(self) -> None:
        super().start()
        wait_until(lambda: not self.query("SELECT 1").returncode, "PostgreSQL takes connections")

    def query(self, sql: str, database: str = "postgres") -> subprocess.CompletedProcess[str]:
        psql = ["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "admin", "-XAtqc", sql, database]
        return subprocess.run(psql, check=False, capture_output=True, text=True)


@dataclass
class Release:
    """The tree of a version, with its static files, and the environment that its programs need."""

    folder: Path
    version: str
    environment: dict[str, str]

    def manage(self, *words: str, colour: str = "none") -> subprocess.CompletedProcess[str]:
        """Runs a command of Django's as a colour."""
        environment = {**os.environ, **self.environment, "GREENLIGHT_COLOUR": colour}
        command = [PYTHON, "manage.py", *words]
        return subprocess.run(command, cwd=self.folder, env=environment, check=False, capture_output=True, text=True)

    def pending(self) -> list[str]:
        """Its migrations that are not applied."""
        plan = self.manage("showmigrations", "--plan").stdout.splitlines()
        return [line.split()[-1] for line in plan if line.startswith("[ ]")]


@dataclass
class Instance(Server):
    """A release run by Daphne as one colour."""

    colour: str = ""

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self.port)

    def get(self, path: str) -> tuple[int, Any]:
        answer = probe_http(self.endpoint, path, timeout=WAIT_SECONDS)
        return answer.status, answer.json()

    def ask_to_drain(self, classes: str, over: float) -> dict[str, Any]:
        """Asks the sockets of these classes to leave within `over` seconds."""
        return self._control("POST", "drain", json.dumps({"classes": classes, "over": over}).encode(), 202)

    def sockets(self) -> dict[str, Any]:
        """What the drain contract says of its sockets."""
        return self._control("GET", "sockets", b"", 200)

    def _control(self, method: str, path: str, body: bytes, status: int) -> dict[str, Any]:
        headers = [("X-Greenlight-Control", CONTROL_TOKEN)]
        answer = probe_http(self.endpoint, f"/.greenlight/{path}", method=method, headers=headers, body=body)
        assert answer.status == status, answer
        return answer.json()


def lay_out(version: dict[str, Any], tree: Path) -> None:
    """Writes the files of a version."""
    leave_out = shutil.ignore_patterns("__pycache__", "staticfiles")
    shutil.copytree(EXAMPLE / "app", tree, ignore=leave_out)
    if version["overlay"]:
        shutil.copytree(EXAMPLE / version["overlay"], tree, ignore=leave_out, dirs_exist_ok=True)
    for name in version["remove"]:
        path = tree / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
