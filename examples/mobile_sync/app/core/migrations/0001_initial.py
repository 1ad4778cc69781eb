"""Tenants and their devices."""

from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# Only an administrator may create the extension; where one did, this does nothing.
POSTGIS = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'postgis') THEN
        CREATE EXTENSION postgis;
    END IF;
END $$
"""
LOCATION = "ALTER TABLE core_device ADD COLUMN location geometry(Point, 4326)"


def add_demo_tenant(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """The tenant of clients that name none."""
    apps.get_model("core", "Tenant").objects.create(slug="demo", name="Demonstration")


class Migration(migrations.Migration):
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="Tenant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(unique=True)),
                ("name", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "core_tenant",
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("device_id", models.CharField(max_length=128)),
                ("seen_at", models.DateTimeField(auto_now=True)),
                ("owner", models.ForeignKey(null=True, on_delete=models.SET_NULL, to=settings.AUTH_USER_MODEL)),
                ("tenant", models.ForeignKey(on_delete=models.CASCADE, to="core.tenant")),
            ],
            options={
                "db_table": "core_device",
                "constraints": [models.UniqueConstraint(fields=("device_id", "tenant"), name="core_device_once")],
            },
        ),
        migrations.RunSQL(POSTGIS, migrations.RunSQL.noop),
        migrations.RunSQL(LOCATION, "ALTER TABLE core_device DROP COLUMN location"),
        migrations.RunPython(add_demo_tenant, migrations.RunPython.noop),
    ]
