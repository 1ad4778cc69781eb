# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes a release from a code tarball: whole, read-only and checked, or not at all."""

from __future__ import annotations

import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import (
    Account,
    Context,
    in_release,
    run,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.build.interpreter import Interpreter, ask
from ansible_collections.greenlight.deploy.plugins.module_utils.build.requirements import Lock, parse_lock
from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store, complete
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import (
    MANIFEST_NAME,
    EnvironmentManifest,
    ReleaseManifest,
    environment_key,
)

MIB = 1 << 20
FIRST_ENVIRONMENT = 400 * MIB
"""Bytes that an environment is expected to need where none has been made yet."""
GROWTH = 3
"""A code tree grows to this many times its archived size: compiled files, static files and working space."""
MARGIN = 50 * MIB


@dataclass(frozen=True)
class Order:
    """What is to be built; the fields are the options of the module ``release``."""

    release: str
    sha: str
    ref: str
    version: str
    archive: Path
    archive_sha256: str
    requirements: str
    python: str
    user: str
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    installer_environment: Mapping[str, str] = field(default_factory=dict)
    build: Sequence[Sequence[str]] = ()
    verify: Sequence[Sequence[str]] = ()
    fingerprint: str = ""
    compile_exclude: str = ""
    timeout: float = 300.0
    install_timeout: float = 900.0


@dataclass(frozen=True)
class Built:
    """A complete release and the seconds that each part of it took; nothing was built where ``seconds`` is empty."""

    manifest: ReleaseManifest
    environment_reused: bool
    seconds: dict[str, float]


class Builder:
    """Builds one order. Everything that the repository brings runs as the application's own user."""

    def __init__(self, store: Store, order: Order) -> None:
        self._store = store
        self._order = order
        self._path = store.release_path(order.release)
        self._scratch = store.scratch_path(order.release)
        self._seconds: dict[str, float] = {}

    def build(self) -> Built:
        """Build under the store's lock. Raises and leaves nothing half-built behind when anything goes wrong."""
        order = self._order
        self._account = Account.of(order.user)
        interpreter = ask(order.python)
        lock, code_bytes = self._examine()
        key = environment_key(lock.sha256, interpreter.version)
        reused = self._store.environment(key) is not None
        self._require_space(code_bytes, reused=reused)
        with tree.whole_or_gone(self._path, self._scratch):
            self._scratch.mkdir(mode=0o700)
            tree.give(self._scratch, self._account.uid, self._account.gid)
            with self._timed("extract"):
                self._extract()
            if not reused:
                self._make_environment(key, lock, interpreter)
            manifest = self._finish(key, lock, interpreter)
        tree.remove(self._scratch)
        return Built(manifest, reused, self._seconds)

    def _examine(self) -> tuple[Lock, int]:
        """The lock file inside the tarball and the bytes of its files; nothing is written."""
        order = self._order
        require_archive(order.archive, order.archive_sha256)
        with tarfile.open(order.archive) as tarball:
            total = sum(member.size for member in tarball)
            if not order.requirements:
                return parse_lock("", "requirements"), total
            try:
                lock_file = tarball.extractfile(order.requirements)
            except KeyError:
                lock_file = None
            if lock_file is None:
                raise InvalidInput(
                    f"the code has no file {order.requirements}",
                    where=order.ref or order.sha,
                    expected="a lock file of the application's packages, pinned with hashes",
                    do="commit one, or set greenlight_requirements to its path",
                )
            return parse_lock(lock_file.read().decode("utf-8", "replace"), order.requirements), total

    def _require_space(self, code_bytes: int, *, reused: bool) -> None:
        sizes = [each.bytes for each in self._store.environments()]
        environment = 0 if reused else int(1.5 * max(sizes)) if sizes else FIRST_ENVIRONMENT
        needed = GROWTH * code_bytes + environment + MARGIN
        tree.require_space(self._store.home, needed, f"release {self._order.release}")

    def _extract(self) -> None:
        self._path.mkdir()
        unpack(self._order.archive, self._path)
        tree.give(self._path, self._account.uid, self._account.gid)

    def _make_environment(self, key: str, lock: Lock, interpreter: Interpreter) -> None:
        path = self._store.environment_path(key)
        python = str(path / "bin" / "python")
        context = Context(
            self._path,
            {"HOME": str(self._scratch), "TMPDIR": str(self._scratch), **self._order.installer_environment},
            self._account,
            secrets=tuple(self._order.installer_environment.values()),
            timeout=self._order.install_timeout,
        )
        pip = [python, "-m", "pip", "--no-input", "--disable-pip-version-check"]
        with tree.whole_or_gone(path), self._timed("environment"):
            path.mkdir()
            tree.give(path, self._account.uid, self._account.gid)
            run([interpreter.path, "-m", "venv", str(path)], context, what="virtual environment")
            if lock.packages:
                install = [
                    "install",
                    "--progress-bar=off",
                    "--no-cache-dir",
                    "--no-compile",
                    "--no-deps",
                    "--require-hashes",
                    "-r",
                    self._order.requirements,
                ]
                run([*pip, *install], context, what="packages of the lock file")
                run([*pip, "check"], context, what="packages that do not fit together")
                # On all cores, which pip does not; what does not compile, or is only tested, may be read from source.
                compile_all = [python, "-m", "compileall", "-q", "-j", "0", "-x", "/tests?/", "."]
                inside = replace(context, directory=path / "lib")
                run(compile_all, inside, what="compiling the packages", allowed=(0, 1))
            tree.seal(path)
            size = tree.measure(path, frozenset({MANIFEST_NAME}))
            complete(
                path,
                EnvironmentManifest(
                    key=key,
                    lock_sha256=lock.sha256,
                    python=interpreter.version,
                    soabi=interpreter.soabi,
                    machine=interpreter.machine,
                    built=_now(),
                    tree_sha256=size.sha256,
                    bytes=size.bytes,
                    files=size.files,
                ),
            )

    def _finish(self, key: str, lock: Lock, interpreter: Interpreter) -> ReleaseManifest:
        order = self._order
        (self._path / "venv").symlink_to(f"../../environments/{key}")
        with self._timed("compile"):
            self._compile()
        for name, commands in (("build", order.build), ("verify", order.verify)):
            with self._timed(name):
                for argv in commands:
                    run(argv, self._context(), what=f"{name} of release {order.release}")
        tree.seal(self._path)
        size = tree.measure(self._path, frozenset({MANIFEST_NAME}))
        manifest = ReleaseManifest(
            release=order.release,
            sha=order.sha,
            ref=order.ref,
            version=order.version,
            lock_sha256=lock.sha256,
            environment=key,
            python=interpreter.version,
            built=_now(),
            tree_sha256=size.sha256,
            bytes=size.bytes,
            files=size.files,
            fingerprint=order.fingerprint,
        )
        complete(self._path, manifest)
        return manifest

    def _compile(self) -> None:
        """Compile every module now: a file that cannot be imported is found before anyone asks for it.

        Compiled files are never checked against their source again, since a release never changes.
        """
        exclude = ["-x", self._order.compile_exclude] if self._order.compile_exclude else []
        argv = ["python", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", *exclude, "."]
        run(argv, self._context(), what="modules that do not compile")

    def _context(self) -> Context:
        """How the application's own commands run: as it will run, but without a colour."""
        order = self._order
        own = {
            "TMPDIR": str(self._scratch),
            "GREENLIGHT_RELEASE": order.release,
            "GREENLIGHT_VERSION": order.version,
        }
        return in_release(
            self._path,
            {**order.environment, **order.secrets, **own},
            self._scratch,
            account=self._account,
            secrets=tuple(order.secrets.values()),
            timeout=order.timeout,
        )

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self._seconds[name] = round(time.monotonic() - began, 2)


def require_archive(path: Path, sha256: str) -> None:
    """:class:`InvalidInput` when there is no file ``path`` or its hash is not ``sha256`` (if one is given)."""
    if not path.is_file():
        raise InvalidInput("there is no such file", where=str(path), expected="the archive that the controller copied")
    found = tree.sha256_of(path) if sha256 else ""
    if found != sha256:
        raise InvalidInput(f"the archive's SHA-256 is {found}", where=str(path), expected=sha256, do="copy it again")


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tarball into ``folder``; its files belong to the caller. tar itself keeps them inside the folder."""
    run(
        ["tar", "--extract", "--gzip", "--no-same-owner", "--file", str(archive)],
        Context(folder, timeout=600.0),
        what=f"unpacking {archive.name}",
    )


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
