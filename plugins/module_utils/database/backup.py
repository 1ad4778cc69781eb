# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes a backup: dumped and counted in one snapshot, verified, then put in its place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.interruption import ended_by_signals
from ansible_collections.greenlight.deploy.plugins.module_utils.database import contents, media
from ansible_collections.greenlight.deploy.plugins.module_utils.database.backups import Backups, files_of
from ansible_collections.greenlight.deploy.plugins.module_utils.database.dump import (
    DUMP,
    Programs,
    begin_snapshot,
    compression_for,
    count_while,
    dump,
    dump_globals,
    read_to_the_end,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import (
    BackupDamaged,
    Manifest,
    Media,
    compare_files,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.restoring import prove_by_restore
from ansible_collections.greenlight.deploy.plugins.module_utils.database.retention import Keep, Taken, superfluous
from ansible_collections.greenlight.deploy.plugins.module_utils.database.s3 import Copies
from ansible_collections.greenlight.deploy.plugins.module_utils.database.size import megabytes, require_usual_size


@dataclass(frozen=True)
class Wish:
    """What is wanted of a backup; ``media`` is a folder or empty, ``space`` bytes needed per byte of the database."""

    id: str
    app: str
    kind: str
    jobs: int
    method: str
    level: int | None
    verification: str
    media: str
    accept_size: bool
    space: float
    fresh_within: float
    keep: Keep
    lock_wait: float


@dataclass(frozen=True)
class Done:
    """What came of a wish; ``manifest`` is None when a check found that a backup would be taken."""

    changed: bool
    manifest: Manifest | None
    sentence: str
    removed: tuple[str, ...] = ()


class Stopwatch:
    """Seconds by step, to the millisecond."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the seconds of the block."""
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 3)


def assure(programs: Programs, store: Backups, wish: Wish, copies: Copies | None = None, *, check: bool) -> Done:
    """Have the backup that is wished for, or one that may be relied upon instead of it; remove superfluous ones.

    With ``copies`` it also has a copy in an object store. A copy that failed leaves the backup here as it is.
    """
    if check:
        there = find(programs, store, wish)
        if there:
            return rely(programs, store, wish, *there, check=True)
        return Done(changed=True, manifest=None, sentence=f"a backup {wish.id} would be taken")
    with store.lock(wish.lock_wait):
        there = find(programs, store, wish)
        done = rely(programs, store, wish, *there, check=False) if there else begin(programs, store, wish)
        return copied(store, copies, wish, done) if copies else done


def begin(programs: Programs, store: Backups, wish: Wish) -> Done:
    """Take the backup, and remove those that are superfluous now."""
    manifest = take(programs, store, wish)
    removed = superfluous([Taken(each.id, each.kind, each.taken) for each in store.all()], wish.keep)
    store.remove(removed)
    sentence = f"{manifest.database} is saved as {describe(manifest)}"
    return Done(changed=True, manifest=manifest, sentence=sentence, removed=removed)


def copied(store: Backups, copies: Copies, wish: Wish, done: Done) -> Done:
    """What was ``done``, with a copy of it in the object store and the superfluous copies removed there."""
    if done.manifest is None or (done.manifest.off_site and not done.changed):
        return done
    manifest = copies.upload(store.path(done.manifest.id), done.manifest)
    store.amend(manifest)
    copies.prune(wish.keep)
    return replace(done, changed=True, manifest=manifest, sentence=f"{done.sentence}; a copy is in {manifest.off_site}")


def find(programs: Programs, store: Backups, wish: Wish) -> tuple[Manifest, str] | None:
    """The backup that makes another one needless, and why it does."""
    same = store.find(wish.id)
    if same:
        return same, "it is there already"
    if wish.fresh_within > 0 and (backups := store.all()):
        with programs.server.connect(application_name="greenlight/backup") as connection:
            age = contents.value(connection, "SELECT extract(epoch FROM now())::float8") - backups[-1].taken
        if age <= wish.fresh_within:
            return backups[-1], f"it is {age:.0f} s old, and {wish.fresh_within:.0f} s are allowed"
    return None


def rely(programs: Programs, store: Backups, wish: Wish, there: Manifest, why: str, *, check: bool) -> Done:
    """Check the backup ``there`` and prove it by a restore, where that is wished for and was not done."""
    check_files(store.path(there.id), there)
    lacking = wish.verification == "restore" and there.verification != "restore"
    if lacking and not check:
        with ended_by_signals():
            there = proved(programs, store.path(there.id), there, wish.jobs)
        store.amend(there)
    return Done(lacking, there, f"no backup was taken, {describe(there)} is relied upon: {why}")


def describe(manifest: Manifest) -> str:
    """A backup in one line."""
    proof = {"read": "every entry read to its end", "restore": "restored and compared"}[manifest.verification]
    size = megabytes(manifest.dump_bytes)
    return f"{manifest.id}, {manifest.rows} rows of {len(manifest.tables)} tables in {size}, {proof}"


def take(programs: Programs, store: Backups, wish: Wish) -> Manifest:
    """Take the backup that is wished for, under the lock of ``store``. Whatever goes wrong, nothing of it stays."""
    compression = compression_for(programs, wish.method, wish.level)
    require_room(programs, store, wish)
    usual = [each.dump_bytes for each in store.all() if each.compression == compression]
    partial = store.partial(wish.id)
    with ended_by_signals(), tree.whole_or_gone(partial):
        partial.mkdir(mode=0o700)
        manifest = write(programs, partial, wish, compression)
        if not wish.accept_size:
            require_usual_size(manifest.dump_bytes, usual, f"backup {wish.id}")
        if wish.verification == "restore":
            manifest = proved(programs, partial, manifest, wish.jobs)
        store.publish(manifest)
    return manifest


def require_room(programs: Programs, store: Backups, wish: Wish) -> None:
    """:class:`~.NoSpace` when the place of the backups has not enough for this one."""
    with programs.server.connect(application_name="greenlight/backup") as connection:
        size = int(contents.value(connection, "SELECT pg_database_size(current_database())"))
    extra = media.size(Path(wish.media)) if wish.media else 0
    tree.require_space(store.folder, int(size * wish.space) + extra, "the backup")


def write(programs: Programs, folder: Path, wish: Wish, compression: str) -> Manifest:
    """Everything of a backup in ``folder`` but its manifest, read to its end."""
    watch, server = Stopwatch(), programs.server
    archived: Media | None = None
    with server.connect(application_name="greenlight/backup") as connection:
        snapshot, taken = begin_snapshot(connection)
        if wish.media:
            with watch.step("media"):
                archived = media.archive(Path(wish.media), folder, programs.timeout)
        with watch.step("dump"):
            found = count_while(
                connection, server.database, lambda: dump(programs, snapshot, folder, wish.jobs, compression)
            )
    dump_globals(programs, folder)
    with watch.step("read"):
        read_to_the_end(folder, programs.major)
        files = files_of(folder)
    return Manifest(
        id=wish.id,
        app=wish.app,
        kind=wish.kind,
        database=server.database,
        taken=taken,
        server_version=server.version(),
        program_version=programs.major,
        compression=compression,
        database_bytes=found.bytes,
        dump_bytes=sum(file.bytes for name, file in files.items() if name.startswith(f"{DUMP}/")),
        verification="read",
        tables=found.tables,
        large_objects=found.large_objects,
        extensions=found.extensions,
        surroundings=found.surroundings,
        files=files,
        seconds=watch.seconds,
        media=archived,
    )


def proved(programs: Programs, folder: Path, manifest: Manifest, jobs: int) -> Manifest:
    """The manifest of a backup that was restored and compared; its seconds are the live recovery time."""
    seconds = prove_by_restore(programs, folder, manifest, jobs)
    return replace(manifest, verification="restore", seconds={**manifest.seconds, "restore": round(seconds, 3)})


def check_files(folder: Path, manifest: Manifest) -> None:
    """:class:`~.manifest.BackupDamaged` unless every file is what the manifest says."""
    compare_files(manifest.files, files_of(folder), str(folder))


def examine(store: Backups, check: str) -> tuple[list[Manifest], dict[str, str]]:
    """All backups, oldest first, and what is wrong by id: of the manifest, the ``checksum`` or what can be ``read``."""
    found, damaged = store.all(), store.unreadable()
    return found, {
        **damaged,
        **{each.id: wrong for each in found if (wrong := _wrong(store.path(each.id), each, check))},
    }


def _wrong(folder: Path, manifest: Manifest, check: str) -> str:
    try:
        if check != "manifest":
            check_files(folder, manifest)
        if check == "read":
            check_reading(folder, manifest)
    except BackupDamaged as error:
        return str(error)
    return ""


def check_reading(folder: Path, manifest: Manifest) -> None:
    """:class:`~.manifest.BackupDamaged` unless every entry of the dump and of the archive can be read."""
    read_to_the_end(folder, manifest.program_version)
    if manifest.media:
        media.read_to_the_end(folder / manifest.media.archive)
