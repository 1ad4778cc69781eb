"""The WebSocket /ws/sync: items in, acknowledgements out, broadcasts."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer
from channels.layers import get_channel_layer
from redis import RedisError

from core.services import tenants
from core.sync import classes, writer
from core.sync.items import LARGEST_MESSAGE, NAME, InvalidItem, Item
from mobile_sync import __version__
from mobile_sync.identity import COLOUR, IDENTITY

logger = logging.getLogger(__name__)

CLOSE_UNKNOWN_TENANT = 4004


def tenant_group(tenant_id: int) -> str:
    """The channel-layer group of all sockets of a tenant."""
    return f"tenant.{tenant_id}"


class SyncConsumer(AsyncConsumer):
    """One socket.

    What the client sends and what the channel layer brings goes into one queue and is handled in that order, so
    everything that came before a close is answered before it. Items that wait together are committed together.
    """

    async def __call__(self, scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serves the connection until it ends."""
        self.scope, self.base_send = scope, send
        self.channel_layer = get_channel_layer()
        self.channel_name = await self.channel_layer.new_channel()
        self.groups: list[str] = []
        self.is_closed = False
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        sources = [receive, partial(self.channel_layer.receive, self.channel_name)]
        pumps = [asyncio.create_task(self._pump(source)) for source in sources]
        for pump in pumps:
            pump.add_done_callback(self._source_ended)
        try:
            while True:
                await self._handle(await self._waiting_events())
        except StopConsumer:
            pass
        finally:
            await self._leave(pumps)

    async def _pump(self, source: Callable[[], Awaitable[dict[str, Any]]]) -> None:
        while True:
            self.inbox.put_nowait(await source())

    def _source_ended(self, pump: asyncio.Task[None]) -> None:
        if not pump.cancelled():
            self.inbox.put_nowait({"type": "source.failed", "error": pump.exception()})

    async def _leave(self, pumps: list[asyncio.Task[None]]) -> None:
        for pump in pumps:
            pump.cancel()
        left = [self.channel_layer.group_discard(group, self.channel_name) for group in self.groups]
        await asyncio.gather(*left, *pumps, return_exceptions=True)

    async def _waiting_events(self) -> list[dict[str, Any]]:
        events = [await self.inbox.get()]
        while not self.inbox.empty():
            events.append(self.inbox.get_nowait())
        return events

    async def _handle(self, events: list[dict[str, Any]]) -> None:
        """Answers events in their order; items that follow each other are submitted before the first is awaited."""
        submitted: list[tuple[str, asyncio.Future[Any]]] = []
        for event in events:
            if self.is_closed and event["type"] != "websocket.disconnect":
                continue
            message = self._decode(event) if event["type"] == "websocket.receive" else None
            if message is not None and message.get("type") == "sync":
                self._submit(message, submitted)
                continue
            await self._acknowledge(submitted)
            if message is not None:
                await self._answer(message)
            else:
                await self._on_event(event)
        await self._acknowledge(submitted)

    def _decode(self, event: dict[str, Any]) -> dict[str, Any]:
        """The message in a frame; what is none becomes one of type `invalid` with the reason."""
        text = event.get("text") or ""
        if len(text) > LARGEST_MESSAGE:
            return {"type": "invalid", "reason": f"message longer than {LARGEST_MESSAGE} characters"}
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        return message if isinstance(message, dict) else {"type": "invalid", "reason": "not a JSON object in text"}

    def _submit(self, message: dict[str, Any], submitted: list[tuple[str, asyncio.Future[Any]]]) -> None:
        try:
            item = Item.parse(message, self.tenant_id, self.device_id)
            future = writer.submit(item)
        except InvalidItem as error:
            future = asyncio.get_running_loop().create_future()
            future.set_exception(error)
        submitted.append((message.get("id"), future))

    async def _acknowledge(self, submitted: list[tuple[str, asyncio.Future[Any]]]) -> None:
        for item_id, future in submitted:
            try:
                outcome = await future
                await self._reply({"type": "ack", "id": item_id, "colour": COLOUR, **outcome.answer()})
            except InvalidItem as error:
                await self._reply(_error(item_id, "invalid", str(error)))
            except writer.Unavailable as error:
                await self._reply(_error(item_id, "unavailable", str(error)))
        submitted.clear()

    async def _answer(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "ping":
                await self._reply({"type": "pong", "t": message.get("t"), "colour": COLOUR})
            case "broadcast":
                await self._broadcast(message.get("text"))
            case "invalid":
                await self._reply(_error(None, "invalid", str(message.get("reason"))))
            case other:
                await self._reply(_error(None, "invalid", f"unknown type {str(other)[:40]!r}"))

    async def _broadcast(self, text: Any) -> None:
        if not isinstance(text, str):
            await self._reply(_error(None, "invalid", "broadcast needs a text"))
            return
        event = {"type": "tenant.broadcast", "text": text, "device": self.device_id, "colour": COLOUR}
        try:
            await self.channel_layer.group_send(tenant_group(self.tenant_id), event)
        except (RedisError, OSError) as error:
            logger.warning("SYNC_ERROR broadcast not sent: %s", type(error).__name__)
            await self._reply(_error(None, "unavailable", "Redis does not answer"))

    async def _on_event(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "websocket.connect":
                await self._connect()
            case "websocket.disconnect":
                raise StopConsumer
            case "tenant.broadcast":
                await self._reply({**event, "type": "broadcast"})
            case "source.failed":
                raise event["error"]
            case other:
                # The other colour may run a newer release, which may send what this one does not know.
                logger.info("event %s ignored", other)

    async def _connect(self) -> None:
        headers = dict(self.scope["headers"])
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        slug = _parameter(headers, query, "tenant") or tenants.DEFAULT
        self.device_id = _parameter(headers, query, "device")
        tenant_id = await tenants.find(slug)
        await self.base_send({"type": "websocket.accept"})
        if tenant_id is None or (self.device_id and not NAME.fullmatch(self.device_id)):
            self.is_closed = True
            reason = "unknown tenant or invalid device"
            await self.base_send({"type": "websocket.close", "code": CLOSE_UNKNOWN_TENANT, "reason": reason})
            return
        self.tenant_id = tenant_id
        self.groups.append(tenant_group(tenant_id))
        await self.channel_layer.group_add(tenant_group(tenant_id), self.channel_name)
        name = classes.of(headers)
        await self._reply({"type": "hello", **IDENTITY, "code": __version__, "class": name, "tenant": slug})

    async def _reply(self, message: dict[str, Any]) -> None:
        await self.base_send({"type": "websocket.send", "text": json.dumps(message)})


def _parameter(headers: dict[bytes, bytes], query: dict[str, list[str]], name: str) -> str:
    """A client's property, from the query or a header such as X-Tenant, X-Device-Id."""
    header = {"tenant": b"x-tenant", "device": b"x-device-id"}[name]
    return query.get(name, [headers.get(header, b"").decode("latin-1")])[0]


def _error(item_id: Any, code: str, message: str) -> dict[str, Any]:
    return {"type": "error", "id": item_id, "code": code, "message": message}
