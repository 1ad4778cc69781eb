"""Who spoke, as far as it was checked."""

from django.db import models

from core.models import Tenant


class VoiceVerification(models.Model):
    """One comparison of a voice with the one on record."""

    tenant = models.ForeignKey(Tenant, models.CASCADE)
    device_id = models.CharField(max_length=128)
    confidence = models.FloatField()
    accepted = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "voice_verification_log"
        constraints = [
            models.CheckConstraint(condition=models.Q(confidence__range=(0, 1)), name="voice_confidence_is_a_share")
        ]
        indexes = [models.Index(fields=["device_id", "created_at"], name="voice_device_time")]
