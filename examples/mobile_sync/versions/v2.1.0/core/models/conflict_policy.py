"""What a tenant wants done when two devices changed the same thing."""

from django.db import models

from core.models.tenant import Tenant


class ConflictPolicy(models.Model):
    """One rule for a domain of a tenant."""

    class Rule(models.TextChoices):
        CLIENT_WINS = "client_wins"
        SERVER_WINS = "server_wins"
        HIGHEST_VERSION = "highest_version"
        MANUAL = "manual"

    tenant = models.ForeignKey(Tenant, models.CASCADE)
    domain = models.CharField(max_length=64)
    rule = models.CharField(max_length=32, choices=Rule, default=Rule.HIGHEST_VERSION)
    priority = models.PositiveSmallIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "sync_tenant_conflict_policy"
        constraints = [models.UniqueConstraint(fields=["tenant", "domain"], name="sync_conflict_policy_once")]
        # The last one read for a domain counts.
        ordering = ["priority"]
