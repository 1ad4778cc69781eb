# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Talks to one process of a release's own interpreter that reads and applies Django migrations."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import STANDARD_PATH, Account
from ansible_collections.greenlight.deploy.plugins.module_utils.build.output import redact, tail
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed, InvalidInput, NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import django_runner
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import Migration, graph_of
from ansible_collections.greenlight.deploy.plugins.module_utils.services.environment import process_environment

_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")

Message = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """Where and how to migrate; times in seconds, ``lock_timeout`` and ``statement_timeout`` are PostgreSQL's."""

    release: Path
    environment: Mapping[str, str]
    account: Account
    secrets: tuple[str, ...] = ()
    database: str = "default"
    lock_wait: float = 60.0
    lock_timeout: float = 2.0
    statement_timeout: float = 900.0
    timeout: float = 3600.0

    def process_environment(self) -> dict[str, str]:
        """The environment of the process: the application's own, with the time limits for PostgreSQL added."""
        limits = {"lock_timeout": self.lock_timeout, "statement_timeout": self.statement_timeout}
        options = [f"-c {name}={round(seconds * 1000)}" for name, seconds in limits.items()]
        return {
            "PATH": STANDARD_PATH,
            "DJANGO_SETTINGS_MODULE": settings_of(self.release),
            **self.environment,
            "PGOPTIONS": " ".join([self.environment.get("PGOPTIONS", ""), *options]).strip(),
        }


def request_of(wanted: Mapping[str, Any], secrets: Mapping[str, str]) -> Request:
    """The parameters of a module as a request: names as in ``django_migration``."""
    return Request(
        release=Path(wanted["root"], wanted["app"], "releases", wanted["release"]),
        environment=process_environment(
            **{name: wanted[name] for name in ("app", "colour", "release", "version", "environment")}, secrets=secrets
        ),
        account=Account.of(wanted["user"] or wanted["app"]),
        secrets=tuple(secrets.values()),
        **{name: wanted[name] for name in ("database", "lock_wait", "lock_timeout", "statement_timeout", "timeout")},
    )


def settings_of(release: Path) -> str:
    """The settings module that the release's ``manage.py`` names."""
    try:
        found = _SETTINGS.search((release / "manage.py").read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(
            f"manage.py cannot be read ({error.strerror})", where=str(release), expected="a Django project at its top"
        ) from error
    if not found:
        raise InvalidInput(
            "names no DJANGO_SETTINGS_MODULE", where=f"{release}/manage.py", do="set it in the environment"
        )
    return found[1]


@contextmanager
def converse(request: Request, *, lock: bool) -> Iterator[Conversation]:
    """One process that migrates, from its start to its end; whatever happens inside, it is not left running."""
    with subprocess.Popen(
        [str(request.release / "venv/bin/python"), "-c", inspect.getsource(django_runner)],
        cwd=request.release,
        env=request.process_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        user=request.account.uid,
        group=request.account.gid,
        extra_groups=[],
    ) as process:
        watchdog = threading.Timer(request.timeout, process.kill)
        watchdog.start()
        try:
            yield Conversation(request, cast("IO[str]", process.stdin), cast("IO[str]", process.stdout), lock=lock)
        finally:
            watchdog.cancel()
            process.kill()
            process.communicate()


class Conversation:
    """What is said to a process that migrates, and what it answers, line by line."""

    def __init__(self, request: Request, listener: IO[str], speaker: IO[str], *, lock: bool) -> None:
        self._request = request
        self._listener = listener
        self._speaker = speaker
        self._said: list[str] = []
        self.unknown: tuple[str, ...] = ()
        self._send({"database": request.database, "lock": lock, "lock_wait": request.lock_wait})

    def graph(self) -> dict[str, Migration]:
        """The migrations of the release and which of them are applied.

        Afterwards ``unknown`` holds those that are applied although the release does not know them.
        """
        state = self._expect("state")
        self.unknown = tuple(state["unknown"])
        return graph_of(state["migrations"])

    def apply(self, targets: Sequence[str]) -> Iterator[Message]:
        """Apply ``targets``; one message ``{target, seconds}`` for each, then ``{invalid_indexes}``."""
        self._send(list(targets))
        for _target in targets:
            yield self._expect("applied")
        yield self._expect("end")

    def _send(self, content: object) -> None:
        try:
            self._listener.write(json.dumps(content) + "\n")
            self._listener.flush()
        except BrokenPipeError:
            return  # its last words are read next and say why

    def _expect(self, kind: str) -> Message:
        for line in self._speaker:
            if not line.startswith(django_runner.MARK):
                self._said.append(line)
                continue
            message: Message = json.loads(line.removeprefix(django_runner.MARK))
            if message["kind"] == kind:
                return message
            raise self._trouble(message)
        raise CommandFailed(
            f"ended without an answer\n{self._shown(''.join(self._said))}",
            where="migrations",
            do="see its last lines above",
        )

    def _trouble(self, message: Message) -> Exception:
        if message["kind"] == "locked":
            return NotReady(
                f"another deployment has been migrating for {self._request.lock_wait:.0f} s",
                where="migrations",
                expected="one at a time",
                do="wait for it, or end it",
            )
        before = self._shown("".join(self._said))
        reason = self._shown(message.get("error", str(message)))
        return CommandFailed(f"{reason}\n{before}" if before else reason, where="migrations")

    def _shown(self, text: str) -> str:
        return redact(tail(text), self._request.secrets)
