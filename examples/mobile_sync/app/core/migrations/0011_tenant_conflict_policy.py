"""Conflict policies, with the usual ones for every tenant."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

USUAL = {"journal": "highest_version", "attendance": "server_wins", "task": "client_wins", "contract": "manual"}


def add_usual_policies(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """One policy a domain for the tenants that exist."""
    policy = apps.get_model("core", "ConflictPolicy")
    policy.objects.bulk_create(
        policy(tenant=tenant, domain=domain, rule=rule)
        for tenant in apps.get_model("core", "Tenant").objects.all()
        for domain, rule in USUAL.items()
    )


class Migration(migrations.Migration):
    dependencies = [("core", "0010_sync_idempotency_record")]

    operations = [
        migrations.CreateModel(
            name="ConflictPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("domain", models.CharField(max_length=64)),
                (
                    "rule",
                    models.CharField(
                        choices=[
                            ("client_wins", "Client Wins"),
                            ("server_wins", "Server Wins"),
                            ("highest_version", "Highest Version"),
                            ("manual", "Manual"),
                        ],
                        default="highest_version",
                        max_length=32,
                    ),
                ),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("tenant", models.ForeignKey(on_delete=models.CASCADE, to="core.tenant")),
            ],
            options={
                "db_table": "sync_tenant_conflict_policy",
                "constraints": [models.UniqueConstraint(fields=("tenant", "domain"), name="sync_conflict_policy_once")],
            },
        ),
        migrations.RunPython(add_usual_policies, migrations.RunPython.noop),
    ]
