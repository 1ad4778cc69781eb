# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Git on the controller: a bare mirror of each repository, one commit for a ref, one archive for a commit."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build import refs
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Context, run
from ansible_collections.greenlight.deploy.plugins.module_utils.build.locking import locked
from ansible_collections.greenlight.deploy.plugins.module_utils.build.tree import sha256_of
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import (
    CommandFailed,
    GreenlightError,
    InvalidInput,
)

_GITLINK = "160000 "
_LOGIN_HELPER = (
    "!f() { test \"$1\" = get && printf 'username=%s\\npassword=%s\\n' "
    '"$GREENLIGHT_GIT_USER" "$GREENLIGHT_GIT_PASSWORD"; }; f'
)


class RepositoryUnreadable(GreenlightError):
    """Git could not read the repository."""


@dataclass(frozen=True)
class Archive:
    """A code tarball; ``new`` when this call wrote it."""

    path: Path
    sha256: str
    bytes: int
    new: bool


class Source:
    """One repository as the controller sees it; ``cache`` holds its mirror and archives."""

    def __init__(
        self, address: str, cache: Path, timeout: float = 120.0, environ: Mapping[str, str] | None = None
    ) -> None:
        self.repository = refs.split_login(_absolute(address))
        name = hashlib.sha256(self.repository.url.encode()).hexdigest()[:16]
        self.folder = cache / name
        self.mirror = self.folder / "mirror.git"
        self._timeout = timeout
        inherited = os.environ if environ is None else environ
        self._environment = {**inherited, **_quiet(inherited), **_login(self.repository)}

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Only one run at a time works on the mirror."""
        with locked(self.folder.with_suffix(".lock"), self._timeout):
            yield

    def look(self, ref: str) -> refs.Ref:
        """The commit of ``ref`` as the repository has it now, without writing anything here."""
        refs.require_ref(ref)
        found = refs.parse_refs(self._remote(["ls-remote", "--heads", "--tags", "--", self.repository.url]))
        match = refs.find_ref(found, ref)
        if match:
            return match
        if refs.may_be_commit(ref):
            return self._commit_without_mirror(found, ref)
        raise refs.unknown_ref(self.repository, ref, found)

    def resolve(self, ref: str) -> refs.Ref:
        """The commit of ``ref``, in the mirror afterwards. A full commit id that is there already needs no network."""
        refs.require_ref(ref)
        if len(ref) == 40 and self._commit_in_mirror(ref):
            return refs.Ref(ref, "commit", ref)
        self._update()
        found = refs.parse_refs(self._git(["show-ref", "-d"], allowed=(0, 1)))
        match = refs.find_ref(found, ref)
        if match:
            return match
        sha = self._commit_in_mirror(ref) if refs.may_be_commit(ref) else ""
        if not sha:
            raise refs.unknown_ref(self.repository, ref, found)
        return refs.Ref(sha, "commit", sha)

    def committed(self, sha: str) -> str:
        """When ``sha`` was committed, as 2026-11-22T12:45:00Z; empty when the mirror does not have it."""
        if not self._commit_in_mirror(sha):
            return ""
        seconds = int(self._git(["show", "--no-patch", "--format=%ct", sha]).strip())
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def read(self, sha: str, path: str) -> str | None:
        """The text of ``path`` in commit ``sha``; None when there is no such file or the mirror lacks the commit."""
        try:
            return self._git(["show", f"{sha}:{path}"])
        except CommandFailed:
            return None

    def archive(self, sha: str) -> Archive:
        """The code of ``sha`` as a tarball in the cache; made once. Submodules are refused: git leaves them out."""
        links = [line for line in self._git(["ls-tree", "-r", sha]).splitlines() if line.startswith(_GITLINK)]
        if links:
            names = ", ".join(line.partition("\t")[2] for line in links)
            raise InvalidInput(
                f"the commit has submodules ({names}), which an archive does not contain",
                where=f"{self.repository.shown} {sha[:7]}",
                expected="a repository that is complete in itself",
            )
        path = self.folder / "archives" / f"{sha}.tar.gz"
        new = not path.exists()
        if new:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}")
            try:
                self._git(["archive", "--format=tar.gz", "-o", str(partial), sha])
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
        return Archive(path, sha256_of(path), path.stat().st_size, new)

    def _update(self) -> None:
        if not (self.mirror / "HEAD").exists():
            self.mirror.mkdir(parents=True, exist_ok=True)
            self._git(["init", "--quiet", "--bare"])
        for left_behind in self.mirror.rglob("*.lock"):
            left_behind.unlink()
        self._remote(
            [
                "--git-dir", str(self.mirror), "fetch", "--quiet", "--prune", "--force", "--no-tags", "--",
                self.repository.url, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
            ]
        )  # fmt: skip

    def _commit_in_mirror(self, ref: str) -> str:
        """The full id of commit ``ref`` when the mirror has it, else nothing."""
        if not (self.mirror / "HEAD").exists():
            return ""
        found = self._git(["rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"], allowed=(0, 1, 128)).strip()
        return found if found.startswith(ref) else ""

    def _commit_without_mirror(self, found: Mapping[str, str], ref: str) -> refs.Ref:
        heads = {sha for sha in found.values() if sha.startswith(ref)}
        known = self._commit_in_mirror(ref) or (heads.pop() if len(heads) == 1 else "")
        if not known and len(ref) == 40:
            known = ref
        if not known:
            raise refs.unknown_ref(self.repository, ref, found)
        return refs.Ref(known, "commit", known)

    def _git(self, arguments: list[str], allowed: tuple[int, ...] = (0,)) -> str:
        return run(
            ["git", "--git-dir", str(self.mirror), *arguments],
            Context(self.mirror, self._environment, secrets=self.repository.secrets, timeout=self._timeout),
            what=self.repository.shown,
            allowed=allowed,
        )

    def _remote(self, arguments: list[str]) -> str:
        try:
            return run(
                ["git", *arguments],
                Context(Path("/"), self._environment, secrets=self.repository.secrets, timeout=self._timeout),
            )
        except CommandFailed as error:
            raise RepositoryUnreadable(
                f"git cannot read the repository: {error.what.strip()}",
                where=self.repository.shown,
                expected="a path or URL that `git ls-remote` on the controller can read without asking for anything",
                do="correct greenlight_repository, or give the controller a key or token for it",
            ) from error


def _absolute(address: str) -> str:
    """A path made absolute; a URL or host:path as it is."""
    path = Path(address).expanduser()
    return str(path.resolve()) if path.is_dir() or address.startswith(("/", ".", "~")) else address


def _quiet(environ: Mapping[str, str]) -> dict[str, str]:
    """What keeps git from asking a person anything."""
    return {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "LC_ALL": "C.UTF-8",
        "GIT_SSH_COMMAND": environ.get("GIT_SSH_COMMAND", "ssh -o BatchMode=yes"),
    }


def _login(repository: refs.Repository) -> dict[str, str]:
    """Hands user and password to git through the environment, never through an argument that ``ps`` shows."""
    if not repository.user and not repository.password:
        return {}
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "credential.helper",
        "GIT_CONFIG_VALUE_0": "",
        "GIT_CONFIG_KEY_1": f"credential.{repository.url}.helper",
        "GIT_CONFIG_VALUE_1": _LOGIN_HELPER,
        "GREENLIGHT_GIT_USER": repository.user,
        "GREENLIGHT_GIT_PASSWORD": repository.password,
    }
