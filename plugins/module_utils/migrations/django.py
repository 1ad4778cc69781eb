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
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from ansible_collections.greenlight.deploy.plugins.module_utils import errors
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import STANDARD_PATH, Account
from ansible_collections.greenlight.deploy.plugins.module_utils.build.output import redact, tail
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import (
    CommandFailed,
    GreenlightError,
    InvalidInput,
    NotReady,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import (
    catalogue,
    django_executor,
    django_runner,
    django_session,
    ledger,
    ledger_table,
    statements,
    waiting,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger import Entry, entries_of
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger_table import Owner
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.plan import Migration, graph_of
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.waiting import Terms
from ansible_collections.greenlight.deploy.plugins.module_utils.services.environment import process_environment

SENT = (
    errors, statements, waiting, catalogue, ledger, ledger_table, django_session, django_executor, django_runner,
)  # fmt: skip
"""What the process is made of, in the order of their imports: the release's user cannot read Ansible's files."""

_BOOTSTRAP = """
import json, sys, types
for name, source in json.loads(sys.stdin.readline()):
    sys.modules[name] = module = types.ModuleType(name)
    package, _dot, last = name.rpartition(".")
    setattr(sys.modules.setdefault(package, types.ModuleType(package)), last, module)
    exec(compile(source, name, "exec"), vars(module))
module.main()
"""
_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")

Message = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """Where and how to migrate, and for whom; times in seconds."""

    release: Path
    environment: Mapping[str, str]
    account: Account
    owner: Owner
    secrets: tuple[str, ...] = ()
    database: str = "default"
    lock_wait: float = 60.0
    timeout: float = 3600.0
    terms: Terms = field(default_factory=Terms)

    def process_environment(self) -> dict[str, str]:
        """The environment of the process: the application's own."""
        return {"PATH": STANDARD_PATH, "DJANGO_SETTINGS_MODULE": settings_of(self.release), **self.environment}


def request_of(wanted: Mapping[str, Any], secrets: Mapping[str, str], **differences: Any) -> Request:
    """The parameters of a module as a request: names as in the options that every module of migrations has."""
    names = ("app", "colour", "release", "version", "environment")
    return Request(
        release=Path(wanted["root"], wanted["app"], "releases", wanted["release"]),
        environment=process_environment(**{name: wanted[name] for name in names}, secrets=secrets),
        account=Account.of(wanted["user"] or wanted["app"]),
        owner=Owner(wanted["app"], wanted.get("deployment") or wanted["release"], wanted["release"], wanted["version"]),
        secrets=tuple(secrets.values()),
        database=wanted["database"],
        timeout=wanted["timeout"],
        **differences,
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
        [str(request.release / "venv/bin/python"), "-c", _BOOTSTRAP],
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
    """What is said to a process that migrates, and what it answers, line by line.

    ``waits`` holds each time that it had to come again since a lock was not given.
    """

    def __init__(self, request: Request, listener: IO[str], speaker: IO[str], *, lock: bool) -> None:
        self._request = request
        self._listener = listener
        self._speaker = speaker
        self._said: list[str] = []
        self._failed: Message = {}
        self.unknown: tuple[str, ...] = ()
        self.vendor = ""
        self.waits: list[Message] = []
        self._send([[module.__name__, inspect.getsource(module)] for module in SENT])
        self._send(
            {
                "database": request.database, "lock": lock, "lock_wait": request.lock_wait,
                "terms": asdict(request.terms), "owner": asdict(request.owner),
            }
        )  # fmt: skip

    def graph(self) -> dict[str, Migration]:
        """The migrations of the release and which of them are applied.

        Afterwards ``unknown`` holds those that are applied although the release does not know them, and ``vendor``
        what kind of database it is.
        """
        state = self._expect("state")
        self.unknown, self.vendor = tuple(state["unknown"]), state["vendor"]
        return graph_of(state["migrations"])

    def ledger(self) -> list[Entry]:
        """The rows of the application, oldest first; none where there is no ledger."""
        self._send({"do": "ledger"})
        return entries_of(self._expect("ledger")["rows"])

    def inspect(self, names: Sequence[str], *, back: bool = False) -> list[Message]:
        """The statements of migrations, which are not run: ``{migration, sql: [text], unknown}`` each."""
        self._send({"do": "inspect", "names": list(names), "back": back})
        return list(self._expect("inspected")["migrations"])

    def facts(self, tables: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Of each table that exists: ``{rows, bytes, empty, columns: {name: type}}``."""
        self._send({"do": "facts", "tables": list(tables)})
        return dict(self._expect("facts")["tables"])

    def models(self) -> dict[str, list[str]]:
        """The tables with their columns that the release's code uses."""
        self._send({"do": "models"})
        return dict(self._expect("models")["tables"])

    def recover(self, *, retry: bool) -> list[str]:
        """Bring the ledger in line with the database after a run that was killed; the migrations that needed it.

        :class:`InvalidInput` when one was left half-way, unless ``retry`` allows to run it again.
        """
        self._send({"do": "recover", "retry": retry})
        return list(self._expect("recovered")["migrations"])

    def forward(self, steps: Sequence[Sequence[str]]) -> Iterator[Message]:
        """Apply migrations, a list for each target; one message ``{migration, seconds}`` for each."""
        self._send({"do": "forward", "steps": [list(step) for step in steps]})
        yield from self._until_end("applied")

    def backward(self, rows: Sequence[Entry]) -> Iterator[Message]:
        """Undo migrations in the order of their rows; one message ``{migration, seconds}`` for each."""
        self._send({"do": "backward", "rows": [[row.id, row.migration] for row in rows]})
        yield from self._until_end("undone")

    def _until_end(self, kind: str) -> Iterator[Message]:
        while (message := self._expect(kind, "end"))["kind"] != "end":
            yield message
        if message["invalid_indexes"]:
            raise CommandFailed(
                f"indexes are not valid: {', '.join(message['invalid_indexes'])}",
                where="migrations",
                expected="every index valid and ready",
                do="REINDEX INDEX CONCURRENTLY each of them, then deploy again",
            )

    def _send(self, content: object) -> None:
        try:
            self._listener.write(json.dumps(content) + "\n")
            self._listener.flush()
        except BrokenPipeError:
            return  # its last words are read next and say why

    def _expect(self, *kinds: str) -> Message:
        for line in self._speaker:
            if not line.startswith(django_runner.MARK):
                self._said.append(line)
                continue
            message: Message = json.loads(line.removeprefix(django_runner.MARK))
            if message["kind"] in kinds:
                return message
            self._note({**message, **self._cleaned(message)})
        raise CommandFailed(
            f"ended without an answer\n{self._shown(''.join(self._said))}",
            where="migrations",
            do="see its last lines above",
        )

    def _note(self, message: Message) -> None:
        if message["kind"] == "waiting":
            self.waits.append({name: message[name] for name in ("seconds", "blockers")})
        elif message["kind"] == "failed":
            self._failed = message
        else:
            raise self._trouble(message)

    def _cleaned(self, message: Message) -> Message:
        """What may hold words of the application's or of PostgreSQL's, without secrets."""
        texts = {name: self._shown(text) for name, text in message.items() if isinstance(text, str)}
        lists = {name: [self._shown(text) for text in each] for name, each in message.items() if isinstance(each, list)}
        return {**texts, **lists}

    def _trouble(self, message: Message) -> Exception:
        if message["kind"] == "locked":
            return NotReady(
                f"another deployment has been migrating for {self._request.lock_wait:.0f} s",
                where="migrations",
                expected="one at a time",
                do="wait for it, or end it",
            )
        if message["kind"] == "refused":
            return self._refused(message)
        before = self._shown("".join(self._said))
        reason = message.get("error", str(message))
        where, left, do = self._standing()
        return CommandFailed("\n".join(filter(None, [reason, left, before])), where=where, do=do)

    def _refused(self, message: Message) -> GreenlightError:
        parts = {name: message.get(name, "") for name in ("where", "expected", "do")}
        where, left, _do = self._standing()
        kind = InvalidInput if message["error"] == "InvalidInput" else NotReady
        what = f"{message['what']}. {left}" if left else message["what"]
        return kind(what, **{**parts, "where": where if self._failed else parts["where"]})

    def _standing(self) -> tuple[str, str, str]:
        """Which migration failed, what it left in the database, and what to do about that."""
        if not self._failed:
            return "migrations", "", ""
        name, changed, invalid = (self._failed[key] for key in ("migration", "changed", "invalid"))
        left = [f"It left {', '.join(changed)}." if changed else "It changed nothing."]
        left += [f"Indexes that are not valid: {', '.join(invalid)}."] if invalid else []
        by_hand = "take back by hand what it left, or finish it by hand and record it, before the next run"
        return name, " ".join(left), by_hand if changed else ""

    def _shown(self, text: str) -> str:
        return redact(tail(text), self._request.secrets)
