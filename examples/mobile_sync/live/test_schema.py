"""The schema that the application declares, against a PostgreSQL with its migrations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.greenlight.deploy.plugins.module_utils.database.declared import declaration_of
from ansible_collections.greenlight.deploy.plugins.module_utils.database.postgres import server_of
from ansible_collections.greenlight.deploy.plugins.module_utils.database.rows import Row, as_table, counted
from ansible_collections.greenlight.deploy.plugins.modules import pg_index_verify
from world import EXAMPLE, Postgres, Release, lay_out

RUNBOOK = {"sync_idempotency_once", "sync_conflict_policy_once", "sync_device_health_once"}
MIGRATIONS = (
    ("core", "0010_sync_idempotency_record"),
    ("core", "0011_tenant_conflict_policy"),
    ("core", "0012_sync_analytics_models"),
    ("core", "0013_upload_session"),
    ("core", "0014_sync_device_health"),
    ("core", "0015_conflict_resolution_log"),
    ("voice_recognition", "0001_voice_verification_log"),
)
CONTENTS = {
    "as the migrations leave it": "SELECT 1",
    "a row or two, analysed": """
        INSERT INTO sync_idempotency_record (tenant_id, scope, idempotency_key, expires_at)
            VALUES (1, 'item', 'a', now());
        INSERT INTO sync_device_health (tenant_id, device_id, score, items, conflicts, last_sync_at, updated_at)
            VALUES (1, 'a', 100, 1, 0, now(), now());
        ANALYZE""",
    "large": """
        INSERT INTO sync_idempotency_record (tenant_id, scope, idempotency_key, expires_at)
            SELECT 1, 'item', g, now() + g * interval '1 second' FROM generate_series(1, 20000) g;
        INSERT INTO sync_device_health (tenant_id, device_id, score, items, conflicts, last_sync_at, updated_at)
            SELECT 1, g, g % 101, 1, 0, now(), now() FROM generate_series(1, 20000) g;
        ANALYZE""",
}


@pytest.fixture(scope="module")
def release(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The newest good version, with an empty database of its own."""
    assert not postgres.query("CREATE DATABASE declared").returncode
    environment = {
        "DATABASE_URL": f"postgresql://admin@127.0.0.1:{postgres.port}/declared",
        "REDIS_URL": "redis://127.0.0.1:1/0",  # migrations do not need it
        "DJANGO_SECRET_KEY": "for these tests only, and long enough to be taken by the check",
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
    }
    version = next(each for each in json.loads((EXAMPLE / "versions.json").read_text()) if not each["overlay"])
    made = Release(Path(tmp_path_factory.mktemp("release"), "tree"), version["tag"], environment)
    lay_out(version, made.folder)
    return made


@pytest.fixture
def look(release: Release) -> Callable[[], list[Row]]:
    """The truth table of ``schema.yml``, as the module makes it."""
    declared = yaml.safe_load((EXAMPLE / "schema.yml").read_text())["greenlight_schema"]
    options: dict[str, Any] = {**declared, "url": release.environment["DATABASE_URL"]}
    checked = ArgumentSpecValidator(pg_index_verify.ARGUMENTS).validate(options)
    assert not checked.error_messages
    wanted = checked.validated_parameters
    return lambda: list(pg_index_verify.look(server_of(wanted), declaration_of(wanted), wanted).rows)


def test_every_row_is_green_once_all_migrations_are_applied(
    release: Release, postgres: Postgres, look: Callable[[], list[Row]]
) -> None:
    for app, name in MIGRATIONS[:4]:
        done = release.manage("migrate", app, name)
        assert not done.returncode, done.stderr
    half = look()
    assert {row.verdict for row in half if row.table == "public.sync_device_health"} == {"missing"}
    assert {row.verdict for row in half if row.table == "public.sync_idempotency_record"} == {"ok"}

    for app, name in (*MIGRATIONS[4:], ("auth", "0012_alter_user_first_name_max_length")):
        assert not release.manage("migrate", app, name).returncode
    for content, statements in CONTENTS.items():
        assert not postgres.query(statements, "declared").returncode
        rows = look()
        assert counted(rows) == {"ok": len(rows)}, f"{content}:\n{as_table(rows)}"
        of_runbook = [row for row in rows if row.kind == "index" and row.object.removeprefix("public.") in RUNBOOK]
        assert len(of_runbook) == 4, "three, and one of them for a second query"
        assert all(row.chosen for row in of_runbook), f"{content}:\n{as_table(rows)}"
