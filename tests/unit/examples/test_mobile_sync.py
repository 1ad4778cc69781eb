# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tools import example

FOLDER = example.EXAMPLES / "mobile_sync"
V1 = {
    "core.0001_initial",
    "core.0010_sync_idempotency_record",
    "core.0011_tenant_conflict_policy",
    "core.0012_sync_analytics_models",
    "core.0013_upload_session",
}
V2 = V1 | {
    "core.0014_sync_device_health",
    "core.0015_conflict_resolution_log",
    "voice_recognition.0001_voice_verification_log",
}
# What only adds: the code of the version before goes on working on the tables.
ADDITIONS = {"CreateModel", "AddIndex", "RunSQL", "RunPython"}


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for version in example.versions(FOLDER):
        made[version.tag] = tmp_path_factory.mktemp("tree") / version.tag
        example.lay_out(FOLDER, version, made[version.tag])
    return made


def migrations(tree: Path) -> dict[str, Path]:
    return {f"{path.parts[-3]}.{path.stem}": path for path in tree.glob("*/migrations/0*.py")}


def requirements(tree: Path) -> dict[str, str]:
    """Each package of the lock with its hashes."""
    entries = re.split(r"^(?=[a-z])", (tree / "requirements.lock").read_text(), flags=re.MULTILINE)
    return dict(entry.split("==", 1) for entry in entries if "==" in entry)


def test_versions_in_order(trees):
    assert list(trees) == ["v1.0.0", "v2.0.0-sync", "v2.1.0", "v2.2.0-faulty"]


def test_every_file_compiles_and_names_its_version(trees):
    for tag, tree in trees.items():
        for path in tree.rglob("*.py"):
            ast.parse(path.read_text(), str(path))
        assert f'__version__ = "{tag[1:]}"' in (tree / "mobile_sync" / "__init__.py").read_text()


def test_what_a_version_imports_of_its_own_is_in_it(trees):
    for tag, tree in trees.items():
        own = {path.parent.name for path in tree.glob("*/__init__.py")}
        modules = {".".join(path.relative_to(tree).with_suffix("").parts) for path in tree.rglob("*.py")}
        for path in tree.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in own:
                    assert {node.module, f"{node.module}.__init__"} & modules, (tag, path, node.module)


def test_migrations_of_each_version(trees):
    assert {tag: set(migrations(tree)) for tag, tree in trees.items()} == {
        "v1.0.0": V1,
        "v2.0.0-sync": V2,
        "v2.1.0": V2,
        "v2.2.0-faulty": V2,
    }


def test_migrations_only_add(trees):
    for name, path in migrations(trees["v2.0.0-sync"]).items():
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        operations = {
            call.attr
            for call in calls
            if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id == "migrations"
        }
        assert operations - {"swappable_dependency"} <= ADDITIONS, name


def test_the_broken_version_has_a_column_without_a_migration(trees):
    tree = trees["v2.1.0"]
    assert "priority" in (tree / "core/models/conflict_policy.py").read_text()
    assert not any("priority" in path.read_text() for path in migrations(tree).values())


def test_lock_is_hashed_names_no_index_and_keeps_away_from_redis_8(trees):
    for tree in trees.values():
        locked = requirements(tree)
        assert all("--hash=sha256:" in entry for entry in locked.values())
        assert int(locked["redis"].split(".")[0]) < 8
        assert {"django", "channels", "channels-redis", "daphne", "psycopg", "psycopg-binary"} <= set(locked)
        assert "://" not in (tree / "requirements.lock").read_text()
