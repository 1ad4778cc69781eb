# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Restores a backup beside the live database and swaps the two, once and by one run at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.build.interruption import ended_by_signals
from ansible_collections.greenlight.deploy.plugins.module_utils.database import contents, media
from ansible_collections.greenlight.deploy.plugins.module_utils.database.backup import check_files, proved
from ansible_collections.greenlight.deploy.plugins.module_utils.database.backups import Backups
from ansible_collections.greenlight.deploy.plugins.module_utils.database.closing import closed
from ansible_collections.greenlight.deploy.plugins.module_utils.database.dump import Programs
from ansible_collections.greenlight.deploy.plugins.module_utils.database.loss import Loss, describe, loss_of
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import Manifest, Surroundings
from ansible_collections.greenlight.deploy.plugins.module_utils.database.names import identifier
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import Server, StatementFailed
from ansible_collections.greenlight.deploy.plugins.module_utils.database.restoring import (
    MAINTENANCE,
    administer,
    drop_unfinished,
    restore_into,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.s3 import Copies
from ansible_collections.greenlight.deploy.plugins.module_utils.database.swap import RESTORING, Names, surround, swap
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput, NotReady

RECORD = """
CREATE SCHEMA IF NOT EXISTS greenlight AUTHORIZATION {owner};
CREATE TABLE IF NOT EXISTS greenlight.restores (
  restore text NOT NULL, backup text NOT NULL, replaced text NOT NULL, restored timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE greenlight.restores OWNER TO {owner};
INSERT INTO greenlight.restores (restore, backup, replaced) VALUES (%s, %s, %s);
"""
LATEST = "SELECT restore FROM greenlight.restores ORDER BY restored DESC LIMIT 1"
LOCK_WAIT = 60.0
ALONE_WAIT = 5.0
"""Seconds: the server takes a moment to notice that a run was killed."""

POLL = 0.2


@dataclass(frozen=True)
class Restore:
    """What is wanted: ``id`` names the restore and what it replaces, ``confirm`` is what was typed.

    With ``fence`` applications are kept out from before the restore until after the swap. ``media`` is the folder that
    the archive of the backup replaces, or empty.
    """

    id: str
    confirm: str
    jobs: int
    fence: bool = False
    media: str = ""


@dataclass(frozen=True)
class Restored:
    """What came of it: seconds of the whole restore and of the swap, and the name of the database that was replaced."""

    changed: bool
    sentence: str
    loss: Loss | None = None
    replaced: str = ""
    seconds: float = 0.0
    outage: float = 0.0


def provide(store: Backups, copies: Copies | None, backup: str | None, *, check: bool) -> Manifest:
    """The backup of that id, or the newest; brought here from the object store where this host does not have it.

    A check brings nothing. :class:`InvalidInput` when there is none, neither here nor there.
    """
    here = store.all()
    there = copies.all() if copies and backup not in {each.id for each in here} else []
    known = {each.id: each for each in [*there, *here]}
    wanted = [each for each in known.values() if backup in (None, each.id)]
    if not wanted:
        raise InvalidInput(
            f"there is no backup {backup}" if backup else "there is no backup",
            where=str(store.folder),
            expected=", ".join(sorted(known)[-5:]),
            do="name one that is there" if known else "",
        )
    chosen = max(wanted, key=lambda each: each.taken)
    if copies and chosen not in here and not check:
        with store.lock(LOCK_WAIT), ended_by_signals():
            copies.download(chosen, store)
    return chosen


def restore(programs: Programs, folder: Path, manifest: Manifest, wish: Restore, *, check: bool) -> Restored:
    """Bring the backup in ``folder`` under the name of its database, unless this restore was done before.

    Refuses without the confirmation, naming what would be lost. Whatever goes wrong before the swap, the live database
    has not been touched; what a killed run left is dropped.
    """
    server, names = programs.server, Names.of(programs.server.database, wish.id)
    with alone(server, names.live):
        live = look(server, names.live)
        loss = loss_between(server, live, manifest)
        if live and done(server, wish.id):
            return finish(programs, folder, manifest, wish, loss, check=check)
        if folder.is_dir() or not check:  # a check leaves a copy where it is
            check_files(folder, manifest)
        require_possible(server, names, live or manifest.surroundings)
        if check:
            return Restored(
                changed=True, loss=loss, sentence=f"{manifest.id} would be restored: {describe(loss, names.live)}"
            )
        require_confirmation(wish, names.live, loss)
        with ended_by_signals(), closed(server, names.live, names.old, wanted=wish.fence):
            return bring_back(programs, folder, manifest, wish, names, live)


def finish(programs: Programs, folder: Path, manifest: Manifest, wish: Restore, loss: Loss, *, check: bool) -> Restored:
    """What is left to do of a restore whose swap is done: nothing, unless it was killed then."""
    names = Names.of(programs.server.database, wish.id)
    lacking = bool(wish.media) and not media.in_place(Path(wish.media), wish.id)
    if not check:
        with ended_by_signals(), closed(programs.server, names.live, names.old, wanted=False):
            if lacking:
                media.unpack(folder, manifest, Path(wish.media), wish.id, programs.timeout)
                media.swap(Path(wish.media), wish.id)
    return Restored(
        changed=lacking,
        loss=loss,
        replaced=names.old,
        sentence=f"{names.live} was restored by {wish.id} already; another id restores again",
    )


def rehearse(programs: Programs, store: Backups, manifest: Manifest, jobs: int, *, check: bool) -> Restored:
    """Prove a backup by a restore into a scratch database, and write down how long that took."""
    if check:
        return Restored(changed=True, sentence=f"{manifest.id} would be restored into a scratch database")
    with store.lock(LOCK_WAIT), ended_by_signals():
        check_files(store.path(manifest.id), manifest)
        manifest = proved(programs, store.path(manifest.id), manifest, jobs)
        store.amend(manifest)
    seconds = manifest.seconds["restore"]
    return Restored(
        changed=True,
        seconds=seconds,
        sentence=f"{manifest.id} restores in {seconds:.1f} s with all its {manifest.rows} rows; the scratch is dropped",
    )


def bring_back(
    programs: Programs, folder: Path, manifest: Manifest, wish: Restore, names: Names, live: Surroundings | None
) -> Restored:
    """Restore under another name, verify, give it what belongs to the live one, swap."""
    server, began, like = programs.server, time.monotonic(), live or manifest.surroundings
    drop_unfinished(server, names.live, RESTORING)
    try:
        if wish.media:
            media.unpack(folder, manifest, Path(wish.media), wish.id, programs.timeout)
        restore_into(programs, names.new, folder, manifest, wish.jobs, tablespace=like.tablespace)
        record(server, names, wish, manifest, like.owner)
        surround(server, names.new, like)  # after the last row: a setting may make the database read-only
        loss = loss_between(server, live, manifest)
        outage = swap(server, names, like.comment)
        if wish.media:
            media.swap(Path(wish.media), wish.id)
    finally:
        drop_unfinished(server, names.live, RESTORING)
    seconds = time.monotonic() - began
    return Restored(
        changed=True,
        loss=loss,
        replaced=names.old if live else "",
        seconds=round(seconds, 3),
        outage=round(outage, 4),
        sentence=(
            f"{names.live} is {manifest.id} again, with {manifest.rows} rows, after {seconds:.1f} s; nobody was let in"
            f" for {1000 * outage:.0f} ms" + (f"; what it was is kept as {names.old}" if live else "")
        ),
    )


@contextmanager
def alone(server: Server, database: str) -> Iterator[None]:
    """One restore of a database at a time, on the whole server; a run that dies lets go."""
    with administer(server) as connection:
        deadline, key = time.monotonic() + ALONE_WAIT, (f"greenlight restore {database}",)
        while not contents.value(connection, "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key):
            if time.monotonic() > deadline:
                raise NotReady(
                    f"another run is restoring {database}", where=server.where, do="wait for it, then run again"
                )
            time.sleep(POLL)
        yield


def look(server: Server, database: str) -> Surroundings | None:
    """What belongs to the database, when it is open; None when there is none."""
    with administer(server) as connection:
        found = contents.surroundings(connection, database)
    return found.reopened() if found else None


def loss_between(server: Server, live: Surroundings | None, manifest: Manifest) -> Loss:
    """What the restore would lose, counted now. A database that is damaged or lets nobody in can be restored, too."""
    with administer(server) as connection:
        now = float(contents.value(connection, "SELECT extract(epoch FROM now())::float8"))
    if live is None:
        return loss_of(None, manifest.tables, now - manifest.taken)
    try:
        with server.connect(application_name="greenlight/restore") as connection:
            return loss_of(contents.rows(connection), manifest.tables, now - manifest.taken)
    except (NotReady, StatementFailed) as error:
        return Loss(now - manifest.taken, None, unknown=error.what)


def done(server: Server, restore_id: str) -> bool:
    """Whether the latest restore of the live database is this one; no, when it cannot be asked."""
    try:
        with server.connect(application_name="greenlight/restore") as connection:
            return bool(contents.value(connection, LATEST) == restore_id)
    except (NotReady, StatementFailed):
        return False


def require_confirmation(wish: Restore, database: str, loss: Loss) -> None:
    """:class:`InvalidInput`, saying what would be lost, unless the name of the database was typed."""
    if wish.confirm != database:
        raise InvalidInput(
            f"a restore replaces the database, and it is not confirmed; {describe(loss, database)}",
            where=f"database {database}",
            expected=f"confirm to be {database}",
            do="say so when that is what you want",
        )


def require_possible(server: Server, names: Names, like: Surroundings) -> None:
    """:class:`InvalidInput` for whatever would stop the restore half-way and can be seen now."""
    if names.live == MAINTENANCE:
        raise InvalidInput(f"the database {MAINTENANCE} cannot be swapped", where=server.where, do="restore by hand")
    with administer(server) as connection:
        taken = contents.surroundings(connection, names.old) is not None
        prepared = contents.value(
            connection, "SELECT count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = %s", (names.live,)
        )
        owner = contents.value(connection, "SELECT true FROM pg_catalog.pg_roles WHERE rolname = %s", (like.owner,))
    if taken:
        raise InvalidInput(
            f"there is a database {names.old}, which an earlier restore of this id replaced",
            where=server.where,
            do="drop it, or restore under another id",
        )
    if prepared:
        raise InvalidInput(
            f"{prepared} prepared transactions hold {names.live}",
            where=server.where,
            do="COMMIT PREPARED or ROLLBACK PREPARED each of pg_prepared_xacts",
        )
    if not owner:
        raise InvalidInput(
            f"there is no role {like.owner}, the owner",
            where=server.where,
            do="create the roles first, globals.sql of the backup has them without their passwords",
        )


def record(server: Server, names: Names, wish: Restore, manifest: Manifest, owner: str) -> None:
    """Write into the new database where it comes from, so that a second run knows."""
    with server.connect(names.new, application_name="greenlight/restore") as connection, connection.cursor() as cursor:
        statement = RECORD.format(owner=identifier(owner).replace("%", "%%"))
        cursor.execute(statement, (wish.id, manifest.id, names.old))
