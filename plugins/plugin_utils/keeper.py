# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process on the controller that renews the lock of one host for as long as the run lives.

It is detached from the run: it holds no terminal and none of its pipes, and nobody has to wait for it. What it knows is
in a file of the run's private directory, where the other tasks of the run find it; there they also leave what the run
has begun, which the next renewal takes to the host, at once.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from ansible import constants

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError
from ansible_collections.greenlight.deploy.plugins.module_utils.lease import clock
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.keeping import Keeping, begun
from ansible_collections.greenlight.deploy.plugins.module_utils.lease.lock import Process
from ansible_collections.greenlight.deploy.plugins.plugin_utils import processes

_TICK = 0.5  # seconds between two looks at the run
_PATIENCE = 5.0  # seconds that a keeper may take to end
_PREFIX = "greenlight-lock-"

_PROGRESS = "greenlight-progress.jsonl"

Renewal = Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any]]


class NotKept(GreenlightError):
    """Nobody renews the lock."""


@dataclass(frozen=True)
class Note:
    """What a keeper leaves for the other tasks of the run."""

    host: str
    app: str
    deployment: str
    keeper: Process
    keeping: Keeping

    def problem(self) -> str:
        """Why the lock cannot be relied on; empty when it can."""
        return self.keeping.problem(clock.uptime(), alive=not processes.dead(self.keeper))


class Keeper:
    """The keeper of one lock: of the application ``app`` on ``host``."""

    def __init__(self, app: str, host: str) -> None:
        self.app = app
        self.host = host
        name = sha256(f"{app} {host}".encode()).hexdigest()[:16]
        self.path = _directory() / f"{_PREFIX}{name}.json"

    def note(self) -> Note | None:
        """What the keeper left; None when the run has none for this lock."""
        return _read(self.path)

    def start(self, deployment: str, lease: int, heartbeat: int, run: Process, renew: Renewal) -> None:
        """Have the lock renewed until :meth:`stop` or the end of ``run``.

        ``renew`` takes what the run has begun since the last time, and gives the module's answer.
        """
        note = self.note()
        if note is not None and note.deployment == deployment and not note.problem():
            return
        self.stop()
        keeping = begun(lease, heartbeat, clock.uptime())
        read, write = os.pipe()
        between = os.fork()
        if between:
            os.close(write)
            os.waitpid(between, 0)
            os.read(read, 1)  # the note is there, or the keeper has died
            os.close(read)
            if self.note() is None:
                raise NotKept("the process that renews the lock could not be started", where=str(self.path.parent))
            return
        try:
            os.setsid()
            if os.fork():
                os._exit(0)
            note = Note(self.host, self.app, deployment, processes.process(os.getpid()), keeping)
            self._keep(note, run, renew, write)
        finally:
            os._exit(1)

    def stop(self) -> None:
        """End the keeper, if there is one, and forget what it left."""
        note = self.note()
        if note is not None and not processes.dead(note.keeper):
            _end(note.keeper)
        self.path.unlink(missing_ok=True)

    def _keep(self, note: Note, run: Process, renew: Renewal, ready: int) -> NoReturn:
        _let_go(except_for=ready)
        loop = _Loop(self.path, note, run, renew)
        _write(self.path, note)
        os.close(ready)
        loop.go()
        os._exit(0)


def problems() -> list[str]:
    """Why locks of this run cannot be relied on, one sentence each; for whoever decides whether it goes on."""
    notes = [note for path in sorted(_directory().glob(f"{_PREFIX}*.json")) if (note := _read(path))]
    return [f"{note.host}: {problem}" for note in notes if (problem := note.problem())]


def tell(begun: Mapping[str, Any]) -> None:
    """Leave for every keeper of this run, for the journal of its host, what the run begins now."""
    with (_directory() / _PROGRESS).open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(begun) + "\n")


class _Loop:
    """Renews, each time in a process of its own, so that an answer that never comes holds up nothing."""

    def __init__(self, path: Path, note: Note, run: Process, renew: Renewal) -> None:
        self.path = path
        self.note = note
        self.run = run
        self.renew = renew
        self.child = 0
        self.since = 0.0
        self.asked = 0  # how much of the progress was in the last renewal
        self.told = len(_progress())  # how much of it the host knows; what was begun without the lock is not for it

    def go(self) -> None:
        signal.signal(signal.SIGTERM, self._leave)
        while not processes.dead(self.run) and not self.note.keeping.lost:
            now = clock.uptime()
            if self.child:
                self._look(now)
            elif now >= self.note.keeping.due or len(_progress()) > max(self.told, self.asked):
                self._begin(now)
            time.sleep(_TICK)
        self._end_child()

    def _begin(self, now: float) -> None:
        progress = _progress()
        self.since, self.asked = now, len(progress)
        self.child = os.fork()
        if not self.child:
            status = 1
            try:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                os.setpgid(0, 0)
                _answer_file(self.path).write_text(
                    json.dumps(_asked(self.renew, progress[self.told :])), encoding="utf-8"
                )
                status = 0
            finally:
                os._exit(status)

    def _look(self, now: float) -> None:
        ended, _status = os.waitpid(self.child, os.WNOHANG)
        keeping = self.note.keeping
        if ended:
            self.child, answer = 0, self._answer()
            self.told = self.told if answer.get("failed") else self.asked
            self._remember(_judged(keeping, answer, self.since, now))
        elif now - self.since > keeping.patience:
            self._end_child()
            self._remember(keeping.failed(now, f"no answer within {keeping.patience} s"))

    def _answer(self) -> Mapping[str, Any]:
        path = _answer_file(self.path)
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {"failed": True, "msg": "the renewal ended without an answer"}
        finally:
            path.unlink(missing_ok=True)

    def _remember(self, keeping: Keeping) -> None:
        self.note = Note(self.note.host, self.note.app, self.note.deployment, self.note.keeper, keeping)
        _write(self.path, self.note)

    def _end_child(self) -> None:
        if self.child:
            with suppress(ProcessLookupError):
                os.killpg(self.child, signal.SIGKILL)
            with suppress(ProcessLookupError):
                os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
            self.child = 0

    def _leave(self, _number: int, _frame: FrameType | None) -> None:
        self._end_child()
        os._exit(0)


def _judged(keeping: Keeping, answer: Mapping[str, Any], asked: float, now: float) -> Keeping:
    if answer.get("lost"):
        return keeping.gone(str(answer["lost"]))
    if answer.get("failed"):
        return keeping.failed(now, str(answer.get("msg", "")))
    return keeping.succeeded(asked, str(answer.get("returned") or ""))


def _progress() -> list[dict[str, Any]]:
    """All that the run has begun; a line that is being written is none yet."""
    try:
        text = (_directory() / _PROGRESS).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _asked(renew: Renewal, progress: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    try:
        answer = renew(progress)
    except Exception as error:  # noqa: BLE001 - whatever it was, the next renewal is tried
        return {"failed": True, "msg": str(error)}
    return {key: answer[key] for key in ("failed", "msg", "lost", "returned") if key in answer}


def _end(keeper: Process) -> None:
    with suppress(ProcessLookupError):
        os.kill(keeper.pid, signal.SIGTERM)
    deadline = clock.uptime() + _PATIENCE
    while not processes.dead(keeper):
        if clock.uptime() > deadline:
            with suppress(ProcessLookupError):
                os.kill(keeper.pid, signal.SIGKILL)
            return
        time.sleep(0.02)


def _let_go(except_for: int) -> None:
    """Hold nothing that somebody may wait for: terminals, pipes and sockets lead nowhere, plain files do no harm.

    The numbers stay taken, so that a late write of Ansible's to its queue cannot meet something new.
    """
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - numbers, not paths
        number = int(name)
        with suppress(OSError):
            standard = number <= 2
            if number not in (nowhere, except_for) and (standard or not stat.S_ISREG(os.fstat(number).st_mode)):
                os.dup2(nowhere, number, inheritable=standard)


def _directory() -> Path:
    """Private to this run, and removed at its end."""
    return Path(constants.DEFAULT_LOCAL_TMP)


def _answer_file(path: Path) -> Path:
    return path.with_suffix(".answer")


def _write(path: Path, note: Note) -> None:
    following = path.with_suffix(".next")
    with suppress(FileNotFoundError):  # the run is ending and has taken its directory away
        following.write_text(json.dumps(asdict(note)), encoding="utf-8")
        following.replace(path)


def _read(path: Path) -> Note | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Note(**{**data, "keeper": Process(**data["keeper"]), "keeping": Keeping(**data["keeping"])})
