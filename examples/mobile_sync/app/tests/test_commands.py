"""Management commands."""

import io
import json
from datetime import timedelta

from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone

from core.models import AnalyticsSnapshot, AppliedItem, ConflictPolicy, IdempotencyRecord
from core.services import policies
from tests.support import TenantCase


def output(*command, **options):
    text = io.StringIO()
    call_command(*command, stdout=text, **options)
    return json.loads(text.getvalue())


class CommandTest(TenantCase):
    def record(self, key, hours):
        IdempotencyRecord.objects.create(
            tenant=self.tenant, scope="item", idempotency_key=key, expires_at=timezone.now() + timedelta(hours=hours)
        )

    def test_cleanup_deletes_what_expired(self):
        self.record("old", -1)
        self.record("new", 1)
        self.assertEqual(output("cleanup_expired"), {"deleted": 1})
        self.assertEqual(IdempotencyRecord.objects.get().idempotency_key, "new")

    def test_aggregate_may_be_repeated(self):
        for name, device in (("a", "d1"), ("b", "d1"), ("c", "d2")):
            AppliedItem.objects.create(
                tenant=self.tenant, item_id=name, device_id=device, domain=f"of_{device}", payload={}
            )
        for _ in range(2):
            self.assertEqual(output("aggregate_analytics", running=True)["items"], 3)
        snapshot = AnalyticsSnapshot.objects.get()
        self.assertEqual((snapshot.items, snapshot.devices, snapshot.uploads), (3, 2, 0))
        self.assertEqual(dict(snapshot.domains.values_list("domain", "items")), {"of_d1": 2, "of_d2": 1})
        self.assertEqual(output("aggregate_analytics")["items"], 0)

    def test_warm_cache(self):
        ConflictPolicy.objects.create(tenant=self.tenant, domain="task", rule="client_wins")
        self.addCleanup(cache.clear)
        self.assertEqual(output("warm_cache")["policies"], 1)
        with self.assertNumQueries(0):
            self.assertEqual(policies.rule(self.tenant.id, "task"), "client_wins")
            self.assertEqual(policies.rule(self.tenant.id, "other"), "highest_version")
