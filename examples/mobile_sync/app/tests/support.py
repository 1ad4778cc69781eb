"""What tests of several files need."""

import json

from channels.testing import WebsocketCommunicator
from django.test import TransactionTestCase

from core.models import Tenant
from core.services import tenants
from core.sync import writer
from mobile_sync.asgi import application

WAIT = 10  # seconds; a limit, never waited for


class TenantCase(TransactionTestCase):
    """The tenant `demo` in an otherwise empty database, which each test may really commit to."""

    def setUp(self):
        tenants.forget()
        Tenant.objects.all().delete()  # what migrations made, and with it all that belongs to it
        self.tenant = Tenant.objects.create(slug="demo", name="Demonstration")


class Socket:
    """A client of /ws/sync: `async with Socket(...) as socket`; the hello is in `socket.hello`."""

    def __init__(self, query="device=d1", headers=()):
        self.communicator = WebsocketCommunicator(application, f"/ws/sync?{query}", headers=list(headers))

    async def __aenter__(self):
        self.is_accepted, self.status = await self.communicator.connect(timeout=WAIT)
        self.hello = await self.receive() if self.is_accepted else None
        return self

    async def __aexit__(self, *_):
        await self.communicator.disconnect()
        await writer.close()

    async def send(self, **message):
        """Sends one message."""
        await self.communicator.send_to(text_data=json.dumps(message))

    async def send_item(self, item_id, **more):
        """Sends an item of the domain `journal`."""
        await self.send(type="sync", id=item_id, domain="journal", payload={"n": 1}, **more)

    async def receive(self):
        """The next message, or {"closed": code}."""
        output = await self.communicator.receive_output(timeout=WAIT)
        return json.loads(output["text"]) if output["type"] == "websocket.send" else {"closed": output.get("code")}
