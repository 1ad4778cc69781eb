"""Conflicts and how each was settled."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("core", "0014_sync_device_health")]

    operations = [
        migrations.CreateModel(
            name="ConflictResolution",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("item_id", models.CharField(max_length=128)),
                ("device_id", models.CharField(db_default="", max_length=128)),
                ("domain", models.CharField(max_length=64)),
                ("entity", models.CharField(max_length=128)),
                ("client_version", models.BigIntegerField()),
                ("server_version", models.BigIntegerField()),
                ("rule", models.CharField(max_length=32)),
                (
                    "winner",
                    models.CharField(choices=[("client", "Client"), ("server", "Server")], max_length=16, null=True),
                ),
                ("created_at", models.DateTimeField(db_default=Now())),
                ("tenant", models.ForeignKey(on_delete=models.CASCADE, to="core.tenant")),
            ],
            options={
                "db_table": "sync_conflict_resolution_log",
                "indexes": [
                    models.Index(fields=["created_at"], name="sync_conflict_time"),
                    models.Index(fields=["tenant", "device_id", "created_at"], name="sync_conflict_device"),
                ],
            },
        ),
    ]
