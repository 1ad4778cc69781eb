"""Hourly snapshots."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0011_tenant_conflict_policy")]

    operations = [
        migrations.CreateModel(
            name="AnalyticsSnapshot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("period_start", models.DateTimeField()),
                ("timestamp", models.DateTimeField(auto_now=True)),
                ("items", models.BigIntegerField()),
                ("devices", models.BigIntegerField()),
                ("uploads", models.BigIntegerField()),
                ("tenant", models.ForeignKey(on_delete=models.CASCADE, to="core.tenant")),
            ],
            options={
                "db_table": "sync_analytics_snapshot",
                "indexes": [models.Index(fields=["timestamp"], name="sync_analytics_time")],
                "constraints": [models.UniqueConstraint(fields=("tenant", "period_start"), name="sync_analytics_once")],
            },
        ),
        migrations.CreateModel(
            name="AnalyticsDomain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("domain", models.CharField(max_length=64)),
                ("items", models.BigIntegerField()),
                (
                    "snapshot",
                    models.ForeignKey(on_delete=models.CASCADE, related_name="domains", to="core.analyticssnapshot"),
                ),
            ],
            options={
                "db_table": "sync_analytics_domain",
                "constraints": [
                    models.UniqueConstraint(fields=("snapshot", "domain"), name="sync_analytics_domain_once")
                ],
            },
        ),
    ]
