"""Idempotency records and the effects of items."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="IdempotencyRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.CharField(choices=[("item", "Item"), ("upload", "Upload")], max_length=16)),
                ("idempotency_key", models.CharField(max_length=128)),
                ("request_hash", models.CharField(db_default="", max_length=64)),
                ("created_at", models.DateTimeField(db_default=Now())),
                ("expires_at", models.DateTimeField()),
                ("tenant", models.ForeignKey(db_index=False, on_delete=models.CASCADE, to="core.tenant")),
            ],
            options={
                "db_table": "sync_idempotency_record",
                "indexes": [models.Index(fields=["expires_at"], name="sync_idempotency_expiry")],
                "constraints": [
                    models.UniqueConstraint(fields=("idempotency_key", "tenant", "scope"), name="sync_idempotency_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="AppliedItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("item_id", models.CharField(max_length=128)),
                ("device_id", models.CharField(db_default="", max_length=128)),
                ("domain", models.CharField(max_length=64)),
                ("entity", models.CharField(max_length=128, null=True)),
                ("version", models.BigIntegerField(null=True)),
                ("payload", models.JSONField()),
                ("applied_at", models.DateTimeField(db_default=Now())),
                ("tenant", models.ForeignKey(db_index=False, on_delete=models.CASCADE, to="core.tenant")),
            ],
            options={
                "db_table": "sync_applied_item",
                "indexes": [
                    models.Index(
                        fields=["item_id"], name="sync_applied_item_prefix", opclasses=["varchar_pattern_ops"]
                    ),
                    models.Index(
                        condition=models.Q(("entity__isnull", False)),
                        fields=["tenant", "entity", "-version"],
                        name="sync_applied_item_entity",
                    ),
                    models.Index(fields=["applied_at"], name="sync_applied_item_time"),
                ],
            },
        ),
    ]
