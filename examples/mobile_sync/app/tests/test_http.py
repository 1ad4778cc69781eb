"""The HTTP interface, through the whole ASGI application."""

import json
from unittest.mock import patch

from channels.testing import HttpCommunicator
from django.test import SimpleTestCase

from core.models import AppliedItem
from core.services import readiness
from core.sync import writer
from core.sync.writer import Unavailable
from mobile_sync import __version__
from mobile_sync.asgi import application
from mobile_sync.identity import IDENTITY, SERVED_BY
from tests.support import WAIT, TenantCase


async def ask(method, path, body=None, host=b"testserver", **headers):
    """Status, headers and JSON (or text) of the answer."""
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    data = b"" if body is None else json.dumps(body).encode()
    length = (b"content-length", str(len(data)).encode())
    communicator = HttpCommunicator(application, method, path, data, [(b"host", host), length, *given])
    answer = await communicator.get_response(timeout=WAIT)
    await communicator.wait()
    await writer.close()
    found = {name.decode().lower(): value.decode() for name, value in answer["headers"]}
    text = answer["body"].decode()
    return answer["status"], found, json.loads(text) if text.startswith("{") else text


class QuickTest(SimpleTestCase):
    async def test_health_needs_nothing(self):
        status, headers, body = await ask("GET", "/health", host=b"10.0.0.1:8101")
        self.assertEqual((status, headers["x-greenlight-served-by"]), (200, SERVED_BY))
        self.assertEqual(body, {"status": "ok", **IDENTITY, "code": __version__})

    async def test_time(self):
        status, _, body = await ask("GET", "/api/v1/time")
        self.assertEqual((status, body["now"][-6:]), (200, "+00:00"))

    async def test_head_and_others(self):
        self.assertEqual((await ask("HEAD", "/health"))[0], 200)
        self.assertEqual((await ask("POST", "/health"))[0], 405)

    async def test_foreign_host_is_refused(self):
        with self.assertLogs("django.security.DisallowedHost"):
            status, headers, _ = await ask("GET", "/api/v1/sync/stats?run=a", host=b"evil.example")
        self.assertEqual((status, headers["x-greenlight-served-by"]), (400, SERVED_BY))

    async def test_pages_are_sent_to_https_and_the_api_is_not(self):
        status, headers, _ = await ask("GET", "/")
        self.assertEqual((status, headers["location"]), (301, "https://testserver/"))
        self.assertEqual((await ask("GET", "/api/v1/nothing"))[0], 404)


class ApiTest(TenantCase):
    async def test_ready(self):
        status, _, body = await ask("GET", "/readiness", host=b"10.0.0.1:8101")
        self.assertEqual((status, body["status"]), (200, "ready"), body)
        self.assertEqual(set(body["checks"]), {"database", "migrations", "postgis", "redis", "policies"})

    async def test_not_ready_says_why(self):
        missing = frozenset({("core", "0099_future")})
        with patch.object(readiness, "_known_migrations", lambda: missing), self.assertLogs("django.request", "ERROR"):
            status, _, body = await ask("GET", "/readiness")
        self.assertEqual((status, body["status"]), (503, "unready"))
        self.assertEqual(body["checks"]["migrations"]["error"], "NotReady: not applied: core.0099_future")
        self.assertTrue(body["checks"]["database"]["ok"])

    async def test_items(self):
        body = {"id": "h-1", "domain": "journal", "payload": {"a": 1}}
        first = await ask("POST", "/api/v1/sync/items", body, x_device_id="d9")
        again = await ask("POST", "/api/v1/sync/items", body)
        self.assertEqual([first[0], first[2]["duplicate"], again[0], again[2]["duplicate"]], [201, False, 200, True])
        self.assertEqual((await AppliedItem.objects.aget()).device_id, "d9")
        _, _, counted = await ask("GET", "/api/v1/sync/stats?run=h-&ids=1")
        self.assertEqual([counted[name] for name in ("stored", "applied", "distinct", "doubled")], [1, 1, 1, 0])
        self.assertEqual(counted["ids"], ["h-1"])

    async def test_items_that_cannot_be_taken(self):
        self.assertEqual((await ask("POST", "/api/v1/sync/items", {"id": ""}))[0], 400)
        self.assertEqual((await ask("POST", "/api/v1/sync/items", []))[0], 400)
        self.assertEqual((await ask("POST", "/api/v1/sync/items", {"id": "x" * 70_000}))[0], 413)
        self.assertEqual((await ask("POST", "/api/v1/sync/items", {}, x_tenant="nobody"))[0], 404)
        self.assertEqual((await ask("GET", "/api/v1/sync/items"))[0], 405)

    async def test_no_database(self):
        async def refuse(_):
            raise Unavailable("gone")

        with patch.object(writer, "submit", refuse), self.assertLogs("django.request", "ERROR"):
            status, headers, _ = await ask("POST", "/api/v1/sync/items", {"id": "a", "domain": "journal"})
        self.assertEqual((status, headers["retry-after"]), (503, "1"))

    async def test_stats_see_what_was_applied_twice(self):
        for name in ("t_1", "t_1", "t_2", "tx3"):
            await AppliedItem.objects.acreate(tenant=self.tenant, item_id=name, domain="journal", payload={})
        _, _, counted = await ask("GET", "/api/v1/sync/stats?run=t_")
        self.assertEqual([counted[name] for name in ("stored", "applied", "distinct", "doubled")], [0, 3, 2, 1])
        self.assertEqual((await ask("GET", "/api/v1/sync/stats"))[0], 400)

    async def test_location(self):
        place = "/api/v1/devices/d1/location"
        for _ in range(2):
            self.assertEqual((await ask("PUT", place, {"lon": 8.5, "lat": 47}))[0], 204)
        self.assertEqual((await ask("PUT", place, {"lon": 8.5, "lat": 91}))[0], 400)
        self.assertEqual((await ask("PUT", place, {"lon": True, "lat": 1}))[0], 400)
