"""Who uses the application."""

from django.conf import settings
from django.db import models


class Tenant(models.Model):
    """A customer; its devices see each other's broadcasts and nobody else's."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "core_tenant"


class Device(models.Model):
    """A device that told where it is. The table also has `location geometry(Point, 4326)`, used by SQL only."""

    tenant = models.ForeignKey(Tenant, models.CASCADE)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    device_id = models.CharField(max_length=128)
    seen_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "core_device"
        constraints = [models.UniqueConstraint(fields=["device_id", "tenant"], name="core_device_once")]
