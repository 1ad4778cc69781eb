"""What happened in an hour."""

from django.db import models

from core.models.tenant import Tenant


class AnalyticsSnapshot(models.Model):
    """One tenant's hour that began at `period_start`."""

    tenant = models.ForeignKey(Tenant, models.CASCADE)
    period_start = models.DateTimeField()
    timestamp = models.DateTimeField(auto_now=True)
    items = models.BigIntegerField()
    devices = models.BigIntegerField()
    uploads = models.BigIntegerField()

    class Meta:
        db_table = "sync_analytics_snapshot"
        constraints = [models.UniqueConstraint(fields=["tenant", "period_start"], name="sync_analytics_once")]
        indexes = [models.Index(fields=["timestamp"], name="sync_analytics_time")]


class AnalyticsDomain(models.Model):
    """How many items of a snapshot belong to a domain."""

    snapshot = models.ForeignKey(AnalyticsSnapshot, models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=64)
    items = models.BigIntegerField()

    class Meta:
        db_table = "sync_analytics_domain"
        constraints = [models.UniqueConstraint(fields=["snapshot", "domain"], name="sync_analytics_domain_once")]
