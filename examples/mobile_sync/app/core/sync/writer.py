"""Group commit: the items that arrive within a short time are written together, then each is acknowledged.

One transaction for one item costs about a millisecond of two processes; for thirty items little more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from psycopg_pool import AsyncConnectionPool

from core.sync.items import InvalidItem, Item, Outcome
from core.sync.store import pool, store

logger = logging.getLogger(__name__)

Store = Callable[[Sequence[Item]], Awaitable[dict[tuple[int, str], Outcome]]]
LARGEST_GROUP = 500
LARGEST_QUEUE = 10_000
# Pauses between attempts (seconds): long enough to outlast a restart of the database.
PAUSES = (0.1, 0.3, 1.0, 2.0, 3.0)


class Unavailable(Exception):
    """The item is not known to be stored; send it again."""


class GroupWriter:
    """Collects items for `window` seconds and hands them to `write` as a group."""

    def __init__(self, write: Store, window: float, pauses: Sequence[float] = PAUSES) -> None:
        self._write, self._window, self._pauses = write, window, pauses
        self._queue: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._task: asyncio.Task[None] | None = None

    def submit(self, item: Item) -> "asyncio.Future[Outcome]":
        """The item's outcome once it is committed; InvalidItem or Unavailable if it cannot be."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if len(self._queue) >= LARGEST_QUEUE:
            future.set_exception(Unavailable("too many items wait for the database"))
            return future
        self._queue.append((item, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return future

    async def _run(self) -> None:
        while self._queue:
            await asyncio.sleep(self._window)
            group, self._queue = self._queue[:LARGEST_GROUP], self._queue[LARGEST_GROUP:]
            await self._settle(group)

    async def _settle(self, group: list[tuple[Item, "asyncio.Future[Outcome]"]]) -> None:
        """Writes a group and resolves its futures. What comes twice in it is written once."""
        first = {item.key: item for item, _ in group}
        try:
            outcomes = await self._attempt(list(first.values()))
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            if len(first) == 1:
                _fail(group, InvalidItem(f"the database refused the item: {error.diag.message_primary}"))
            else:
                for member in group:
                    await self._settle([member])
            return
        except Exception as error:
            logger.exception("SYNC_ERROR %d items not stored", len(group))
            _fail(group, Unavailable(f"the database does not answer ({type(error).__name__})"))
            return
        for item, future in group:
            outcome = outcomes[item.key]
            outcomes[item.key] = Outcome(duplicate=True)
            if not future.done():
                future.set_result(outcome)

    async def _attempt(self, items: list[Item]) -> dict[tuple[int, str], Outcome]:
        """Writes; again after a lost connection, which is harmless since each item is applied once."""
        for pause in self._pauses:
            try:
                return await self._write(items)
            except psycopg.OperationalError as error:
                logger.warning("SYNC_ERROR %d items wait %.1f s: %s", len(items), pause, type(error).__name__)
            await asyncio.sleep(pause)
        return await self._write(items)


def _fail(group: list[tuple[Item, "asyncio.Future[Outcome]"]], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)


async def _store(connections: AsyncConnectionPool, items: Sequence[Item]) -> dict[tuple[int, str], Outcome]:
    await connections.open()
    async with connections.connection() as connection:
        return await store(connection, items)


_writers: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[GroupWriter, AsyncConnectionPool]] = WeakKeyDictionary()


def submit(item: Item) -> "asyncio.Future[Outcome]":
    """Hands an item to the writer of the running event loop (there is one in a server)."""
    loop = asyncio.get_running_loop()
    if loop not in _writers:
        connections = pool()
        _writers[loop] = GroupWriter(partial(_store, connections), settings.SYNC_COMMIT_WINDOW), connections
    return _writers[loop][0].submit(item)


async def close() -> None:
    """Closes the connections of the running event loop's writer, if it has one."""
    _, connections = _writers.pop(asyncio.get_running_loop(), (None, None))
    if connections is not None:
        await connections.close()
