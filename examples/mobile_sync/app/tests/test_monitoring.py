"""What needs attention."""

import io
import json

from django.core.management import call_command
from django.test import SimpleTestCase

from core.models import AppliedItem
from core.services import monitoring
from tests.support import TenantCase

CALM = {"parts_failing": 0, "doubled": 0, "conflict_percent": 5, "poor_devices": 0, "connections_percent": 80}


class AlertTest(SimpleTestCase):
    def test_limits(self):
        self.assertEqual(monitoring.alerts(CALM), [])
        raised = monitoring.alerts({**CALM, "connections_percent": 91, "conflict_percent": 5.1})
        self.assertEqual([alert["severity"] for alert in raised], ["warning", "warning", "critical"])
        self.assertEqual(monitoring.status(raised), "critical")
        self.assertEqual(monitoring.status(raised[:1]), "warning")
        self.assertEqual(monitoring.status([]), "healthy")


class MonitorTest(TenantCase):
    def monitor(self, **options):
        text = io.StringIO()
        call_command("monitor_sync_health", stdout=text, **options)
        return text.getvalue()

    def test_healthy(self):
        report = json.loads(self.monitor(json=True))
        self.assertEqual((report["status"], report["alerts"], report["hours"]), ("healthy", [], 1))
        self.assertIn("healthy over the last 2 h", self.monitor(hours=2))

    def test_an_item_applied_twice_is_critical(self):
        for _ in range(2):
            AppliedItem.objects.create(tenant=self.tenant, item_id="a", domain="task", payload={})
        with self.assertRaises(SystemExit) as stopped:
            self.monitor()
        self.assertEqual(stopped.exception.code, 1)
