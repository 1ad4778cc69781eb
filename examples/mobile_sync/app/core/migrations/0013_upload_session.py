"""Announced uploads."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0012_sync_analytics_models")]

    operations = [
        migrations.CreateModel(
            name="UploadSession",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("filename", models.CharField(max_length=255)),
                ("mime_type", models.CharField(max_length=127)),
                ("file_hash", models.CharField(max_length=128)),
                ("total_size", models.BigIntegerField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("record", models.OneToOneField(on_delete=models.CASCADE, to="core.idempotencyrecord")),
                ("tenant", models.ForeignKey(on_delete=models.CASCADE, to="core.tenant")),
            ],
            options={
                "db_table": "sync_upload_session",
            },
        ),
    ]
