"""The tables of the application, one file for each matter."""

from core.models.analytics import AnalyticsDomain, AnalyticsSnapshot
from core.models.conflict_policy import ConflictPolicy
from core.models.sync import AppliedItem, IdempotencyRecord
from core.models.tenant import Device, Tenant
from core.models.upload import UploadSession

__all__ = [
    "AnalyticsDomain",
    "AnalyticsSnapshot",
    "AppliedItem",
    "ConflictPolicy",
    "Device",
    "IdempotencyRecord",
    "Tenant",
    "UploadSession",
]
