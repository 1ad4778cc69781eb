"""The score of a device."""

from datetime import timedelta
from unittest.mock import patch

from django.test import Client, SimpleTestCase

from core.models import AppliedItem, ConflictResolution, DeviceHealth
from core.services import device_health
from tests.support import TenantCase


class ScoreTest(SimpleTestCase):
    def test_score(self):
        hours = timedelta(hours=1)
        self.assertEqual(device_health.score(10, 0, 0 * hours), 100)
        self.assertEqual(device_health.score(10, 5, 0 * hours), 70)
        self.assertEqual(device_health.score(10, 0, 12 * hours), 80)
        self.assertEqual(device_health.score(1, 9, 48 * hours), 0)
        self.assertEqual(device_health.score(0, 0, -1 * hours), 100)


class DeviceHealthTest(TenantCase):
    def ask(self):
        return Client().get("/api/v1/devices/d1/health")

    def test_unknown_device(self):
        self.assertEqual(self.ask().status_code, 404)

    def test_is_computed_and_kept_for_a_while(self):
        for name in "ab":
            AppliedItem.objects.create(tenant=self.tenant, item_id=name, device_id="d1", domain="task", payload={})
        ConflictResolution.objects.create(
            tenant=self.tenant,
            item_id="b",
            device_id="d1",
            domain="task",
            entity="e",
            client_version=1,
            server_version=1,
        )
        self.assertEqual(self.ask().json()["score"], 70)
        AppliedItem.objects.create(tenant=self.tenant, item_id="c", device_id="d1", domain="task", payload={})
        self.assertEqual(self.ask().json()["items"], 2)
        with patch.object(device_health, "FRESH", timedelta(0)):
            self.assertEqual(self.ask().json()["items"], 3)
        self.assertEqual(DeviceHealth.objects.count(), 1)
