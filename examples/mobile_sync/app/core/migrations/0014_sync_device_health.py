"""Health of devices."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL), ("core", "0013_upload_session")]

    operations = [
        migrations.CreateModel(
            name="DeviceHealth",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("device_id", models.CharField(max_length=128)),
                ("score", models.PositiveSmallIntegerField()),
                ("items", models.BigIntegerField()),
                ("conflicts", models.BigIntegerField()),
                ("last_sync_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("user", models.ForeignKey(null=True, on_delete=models.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ("tenant", models.ForeignKey(on_delete=models.CASCADE, to="core.tenant")),
            ],
            options={
                "db_table": "sync_device_health",
                "indexes": [models.Index(fields=["score"], name="sync_device_health_score")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("device_id", "user", "tenant"), name="sync_device_health_once", nulls_distinct=False
                    )
                ],
            },
        ),
    ]
