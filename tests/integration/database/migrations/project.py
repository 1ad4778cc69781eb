# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small Django project of our own on a real PostgreSQL, as releases with different migrations."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.modules import django_migration, migration_ledger_info

PASSWORD = "ca'na\"ry %s $HOME ${x} ü✓ 100%"
ROW = "deployment, migration, applied_at IS NOT NULL, reversed_at IS NOT NULL"
FIRST, SECOND, THIRD = "shop.0001_item", "shop.0002_note", "shop.0003_log"

SETTINGS = """
import os
SECRET_KEY = "none"
INSTALLED_APPS = ["django.contrib.contenttypes", "shop", "audit"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {
    "ENGINE": os.environ.get("DATABASE_ENGINE", "django.db.backends.postgresql"),
    "HOST": "127.0.0.1", "PORT": os.environ["DATABASE_PORT"],
    "NAME": os.environ["DATABASE_NAME"], "USER": os.environ["DATABASE_USER"],
    "PASSWORD": os.environ["DATABASE_PASSWORD"],
}}
"""
MIGRATION = """
import os, signal, threading
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

def kill(apps, editor):
    os.kill(os.getpid(), signal.SIGKILL)

def kill_later(apps, editor):
    threading.Timer(1.5, kill, (None, None)).start()

def fail(apps, editor):
    raise ValueError("no good")

class Migration(migrations.Migration):
    atomic = {atomic}
    dependencies = {dependencies}
    operations = [{operations}]
"""
KEY = '("id", models.BigAutoField(primary_key=True))'
ITEM = f'migrations.CreateModel("Item", [{KEY}, ("name", models.CharField(max_length=20))])'
NOTE = 'migrations.AddField("item", "note", models.TextField(null=True))'
LOG = f'migrations.CreateModel("Log", [{KEY}, ("text", models.TextField())])'


def add_field(name: str) -> str:
    """The operation that adds a column that the earlier code need not know."""
    return f'migrations.AddField("item", "{name}", models.IntegerField(null=True))'


@dataclass
class Shop:
    """The project: ``release`` writes one, ``migrate`` runs the module, ``sql`` asks PostgreSQL afterwards."""

    cluster: Any
    database: str
    folder: Path
    run_module: Any
    role: str

    def release(self, name: str, **migrations: Any) -> str:
        """A release with the migrations of the app ``shop``, each ``name=operations`` or a dict of more."""
        top = self.folder / "shop/releases" / name
        for app in ("shop", "audit"):
            (top / app / "migrations").mkdir(parents=True, exist_ok=True)
            (top / app / "migrations/__init__.py").touch()
            (top / app / "__init__.py").touch()
        (top / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")\n')
        (top / "settings.py").write_text(SETTINGS)
        if not (top / "venv").is_symlink():
            (top / "venv").symlink_to(Path(os.environ["MOBILE_SYNC_PYTHON"]).parent.parent)
        before: list[tuple[str, str]] = []
        for migration, given in migrations.items():
            self._write(top, migration, given if isinstance(given, dict) else {"operations": given}, before)
        return name

    @staticmethod
    def _write(top: Path, migration: str, given: dict[str, Any], before: list[tuple[str, str]]) -> None:
        app = given.get("app", "shop")
        name = migration.removeprefix(f"{app}_").removeprefix("m")
        text = MIGRATION.format(
            atomic=given.get("atomic", True),
            dependencies=given.get("dependencies", list(before)),
            operations=given["operations"],
        )
        (top / app / "migrations" / f"{name}.py").write_text(text)
        before[:] = [(app, name)]

    def arguments(self, release: str, **options: Any) -> dict[str, Any]:
        environment = {
            "DATABASE_NAME": self.database, "DATABASE_PORT": self.cluster.port, "DATABASE_USER": self.role,
        }  # fmt: skip
        return {
            "app": "shop", "release": release, "root": str(self.folder), "user": getpass.getuser(),
            "environment": environment, "secrets": {"DATABASE_PASSWORD": PASSWORD}, **options,
        }  # fmt: skip

    def migrate(self, release: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """What the module answers, which never holds the password."""
        quick = {"lock_wait": 1.0, "lock_timeout": 0.3, "tries": 1, "timeout": 60.0}
        arguments = self.arguments(release, **{**quick, **options})
        answer = self.run_module(django_migration, arguments, check=check, diff=True)
        assert PASSWORD not in str(answer)
        assert repr(PASSWORD)[1:-1] not in str(answer)
        return answer

    def reverse(self, release: str, deployment: str = "", **options: Any) -> dict[str, Any]:
        return self.migrate(release, direction="reverse", deployment=deployment, **options)

    def ledger_info(self, release: str, **options: Any) -> dict[str, Any]:
        return self.run_module(migration_ledger_info, self.arguments(release, **options))

    def sql(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.cluster.sql(self.database, statement, *parameters)

    def recorded(self) -> list[str]:
        """What Django's own table says of our apps, in order."""
        rows = self.sql("SELECT app || '.' || name FROM django_migrations WHERE app IN ('shop', 'audit') ORDER BY id")
        return [row[0] for row in rows]

    def columns(self, table: str = "shop_item") -> list[str]:
        sql = "SELECT column_name FROM information_schema.columns WHERE table_name = %s ORDER BY ordinal_position"
        return [row[0] for row in self.sql(sql, table)]

    def ledger(self, columns: str = ROW) -> Sequence[Any]:
        """The rows of our apps, with the columns that are asked for."""
        if not self.sql("SELECT to_regclass('greenlight.migration_ledger') IS NOT NULL")[0][0]:
            return []
        ours = "migration ~ '^(shop|audit)'"
        return self.sql(f"SELECT {columns} FROM greenlight.migration_ledger WHERE {ours} ORDER BY id")

    def everything(self) -> Sequence[Any]:
        """All that a run that changes nothing must leave as it is."""
        tables = "SELECT c.oid, c.relname, c.relfilenode FROM pg_class c ORDER BY 1"
        record = "SELECT * FROM django_migrations ORDER BY id"
        return [self.sql(tables), self.sql(record), self.ledger("*")]
