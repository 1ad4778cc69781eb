# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A release is built whole, shipped whole, or not there. The packages themselves are installed on lab hosts only."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build import shipping, tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.builder import Builder, Order, require_archive
from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import NoSpace
from ansible_collections.greenlight.deploy.plugins.module_utils.build.interpreter import ask
from ansible_collections.greenlight.deploy.plugins.module_utils.build.requirements import parse_lock
from ansible_collections.greenlight.deploy.plugins.module_utils.build.store import Store, complete
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed, InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.record.release import (
    MANIFEST_NAME,
    EnvironmentManifest,
    environment_key,
)

SHA = "1a2b3c4" + "0" * 33
ID = "20261122T124500Z-1a2b3c4"
LOCK = "thing==1 --hash=sha256:" + "0" * 64 + "\n"
BUILD = "import pathlib; pathlib.Path('made').write_text('by the build')"


@pytest.fixture(scope="module")
def interpreter():
    return ask(sys.executable)


def environment_in(store: Store, interpreter) -> EnvironmentManifest:
    """A complete environment that was not made by pip: the test's own interpreter behind a link."""
    lock = parse_lock(LOCK, "x").sha256
    key = environment_key(lock, interpreter.version)
    path = store.environment_path(key)
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").symlink_to(interpreter.path)
    size = tree.measure(path)
    manifest = EnvironmentManifest(
        key, lock, interpreter.version, interpreter.soabi, interpreter.machine, "then", size.sha256, size.bytes, 0
    )
    complete(path, manifest)
    return manifest


@pytest.fixture
def store(tmp_path, interpreter):
    store = Store("app", str(tmp_path / "one"))
    with store.lock():
        environment_in(store, interpreter)
    return store


def tarball(folder: Path, **files: str) -> Path:
    code = folder / "code"
    code.mkdir(exist_ok=True)
    for name, text in {"requirements.lock": LOCK, "app.py": "x = 1\n", **files}.items():
        (code / name).write_text(text)
    path = folder / "code.tar.gz"
    subprocess.run(["tar", "-czf", str(path), "-C", str(code), *(each.name for each in code.iterdir())], check=True)
    return path


@pytest.fixture
def order(tmp_path):
    return Order(
        release=ID,
        sha=SHA,
        ref="v2",
        version="v2",
        archive=tarball(tmp_path),
        archive_sha256="",
        requirements="requirements.lock",
        python=sys.executable,
        user=pwd.getpwuid(os.geteuid()).pw_name,
        environment={"GREETING": "good day"},
        secrets={"KEY": "hunter2"},
        build=[["python", "-c", BUILD]],
        verify=[["python", "-c", "import app, os; assert os.environ['GREETING'] == 'good day'"]],
    )


def test_a_release_holds_code_build_and_compiled_files_and_is_sealed(store, order):
    built = Builder(store, order).build()
    path = store.release_path(ID)
    assert store.release(ID) == built.manifest
    assert (path / "made").read_text() == "by the build"
    assert list((path / "__pycache__").glob("app.*.pyc"))
    assert (path / "venv" / MANIFEST_NAME).is_file()
    assert path.stat().st_mode & 0o777 == 0o755
    assert built.environment_reused
    assert built.manifest.tree_sha256 == tree.measure(path, frozenset({MANIFEST_NAME})).sha256
    assert store.half_built() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verify": [["python", "-c", "import os; raise SystemExit('bad ' + os.environ['KEY'])"]]}, r"bad \*{8}"),
        ({"build": [["python", "-c", "raise SystemExit(4)"]]}, "build of release .* ended with status 4"),
        ({"build": [["python", "-c", "while True: pass"]], "timeout": 0.5}, "still ran after"),
        ({"build": [["no-such-program"]]}, "could not be started"),
    ],
)
def test_a_step_that_fails_leaves_nothing(store, order, change, message):
    with pytest.raises(CommandFailed, match=message):
        Builder(store, replace(order, **change)).build()
    assert not store.release_path(ID).exists()
    assert store.half_built() == []


def test_code_that_does_not_compile_is_no_release(store, order, tmp_path):
    broken = replace(order, archive=tarball(tmp_path, **{"later.py": "def broken(:\n"}))
    with pytest.raises(CommandFailed, match=r"modules that do not compile(.|\n)*later.py"):
        Builder(store, broken).build()
    assert not store.release_path(ID).exists()
    assert Builder(store, replace(broken, compile_exclude="later")).build().manifest.release == ID


def test_a_build_that_is_told_to_end_leaves_nothing(store, order, monkeypatch):
    def told(*_arguments):
        raise SystemExit(143)

    monkeypatch.setattr(tree, "seal", told)
    with pytest.raises(SystemExit):
        Builder(store, order).build()
    assert not store.release_path(ID).exists()
    assert store.half_built() == []


def test_packages_without_hashes_are_refused_before_anything(store, order, tmp_path):
    unhashed = replace(order, archive=tarball(tmp_path, **{"requirements.lock": "thing==1\n"}))
    with pytest.raises(InvalidInput, match="line 1: thing==1"):
        Builder(store, unhashed).build()
    assert not store.release_path(ID).exists()


def test_a_missing_lock_file_is_named(store, order):
    with pytest.raises(InvalidInput, match=r"no file other\.lock"):
        Builder(store, replace(order, requirements="other.lock")).build()


def test_a_full_disk_is_told_before_anything(store, order, monkeypatch):
    monkeypatch.setattr(tree, "free_bytes", lambda _folder: 1 << 20)
    with pytest.raises(NoSpace, match="1 MiB are free, release"):
        Builder(store, order).build()
    assert not store.release_path(ID).exists()


def test_an_archive_that_is_not_the_one_that_was_copied_is_refused(order):
    with pytest.raises(InvalidInput, match="SHA-256"):
        require_archive(order.archive, "0" * 64)
    with pytest.raises(InvalidInput, match="no such file"):
        require_archive(order.archive / "nothing", "")


def test_an_interpreter_that_is_not_there_is_named():
    with pytest.raises(InvalidInput, match=r"interpreter python9.9(.|\n)*python3-venv"):
        ask("python9.9")


@pytest.fixture
def other(tmp_path):
    return Store("app", str(tmp_path / "two"))


def ship(store, other, order, parts, python=sys.executable):
    manifest = store.release(ID) or Builder(store, order).build().manifest
    folder = store.home.parent / "artefacts"
    folder.mkdir(exist_ok=True)
    packed = shipping.pack(store, manifest, folder, parts)
    with other.lock():
        shipping.install(other, ID, SHA, packed.path, packed.sha256, python)
    return packed


BOTH = ("release", "environment")


def test_another_host_gets_the_same(store, other, order):
    packed = ship(store, other, order, BOTH)
    assert packed.path.stat().st_mode & 0o777 == 0o600
    assert other.release(ID) == store.release(ID)
    assert other.environments() == store.environments()
    assert (other.release_path(ID) / "venv" / "bin" / "python").exists()
    assert other.half_built() == []


def test_an_environment_that_is_there_is_not_shipped(store, other, order, interpreter):
    with other.lock():
        environment_in(other, interpreter)
    packed = ship(store, other, order, ("release",))
    names = subprocess.run(["tar", "-tzf", str(packed.path)], check=True, capture_output=True, text=True).stdout
    assert "environments" not in names
    assert other.release(ID) is not None


def test_an_artefact_without_the_environment_is_refused_where_it_lacks(store, other, order):
    with pytest.raises(InvalidInput, match="neither this host nor the artefact has the environment"):
        ship(store, other, order, ("release",))
    assert other.releases() == []
    assert other.half_built() == []


def test_a_changed_tree_is_refused(store, other, order):
    Builder(store, order).build()
    (store.release_path(ID) / "app.py").write_text("x = 2\n")
    with pytest.raises(InvalidInput, match="not those that were built"):
        ship(store, other, order, BOTH)
    assert other.releases() == []
    assert other.half_built() == []


def test_another_python_is_refused(store, other, order, interpreter, monkeypatch):
    monkeypatch.setattr(shipping, "ask", lambda _python: replace(interpreter, version="3.9.1", soabi="cpython-39"))
    with pytest.raises(InvalidInput, match=r"this host has Python 3.9.1 \(cpython-39\)"):
        ship(store, other, order, BOTH)
    assert other.releases() == other.environments() == []


def test_what_the_others_lack(store, order):
    manifest = Builder(store, order).build().manifest
    nothing = {"releases": [], "environments": []}
    packages = {"releases": [], "environments": [{"key": manifest.environment}]}
    everything = {**packages, "releases": [{"release": ID}]}
    assert shipping.lacking(manifest, []) == ()
    assert shipping.lacking(manifest, [everything]) == ()
    assert shipping.lacking(manifest, [everything, packages]) == ("release",)
    assert shipping.lacking(manifest, [nothing, packages]) == BOTH
