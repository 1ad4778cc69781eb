"""Voice verifications."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0015_conflict_resolution_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="VoiceVerification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("device_id", models.CharField(max_length=128)),
                ("confidence", models.FloatField()),
                ("accepted", models.BooleanField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("tenant", models.ForeignKey(on_delete=models.CASCADE, to="core.tenant")),
            ],
            options={
                "db_table": "voice_verification_log",
                "indexes": [models.Index(fields=["device_id", "created_at"], name="voice_device_time")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("confidence__range", (0, 1))), name="voice_confidence_is_a_share"
                    )
                ],
            },
        ),
    ]
