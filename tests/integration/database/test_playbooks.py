# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks of backups as a user runs them, on this host, against a real database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def play(cluster, database, tmp_path):
    """Call ``play(name, **variables)``: runs a playbook for the database; whether it ended well, what it printed."""
    cluster.sql(database, "CREATE TABLE orders AS SELECT generate_series(1, 300) AS n")
    (link := tmp_path / "collections/ansible_collections/greenlight/deploy").parent.mkdir(parents=True)
    link.symlink_to(ROOT)
    url = f"postgresql://postgres@{quote(cluster.host, safe='')}:{cluster.port}/{database}"
    always = {
        "ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": sys.executable,
        "greenlight_app": "shop", "backup_url": url, "restore_url": url, "backup_packages": [], "restore_packages": [],
        "backup_place": str(tmp_path / "backups"), "restore_place": str(tmp_path / "backups"),
        "restore_record": str(tmp_path / "restores"),
    }  # fmt: skip
    environment = {
        **os.environ, "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"), "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_LOCALHOST_WARNING": "0", "LC_ALL": "C.UTF-8",
    }  # fmt: skip
    (tmp_path / "hosts.yml").write_text(json.dumps({"apps": {"hosts": {"app1": always}}}))

    def run(name, **variables):
        argv = [
            sys.executable,
            "-m",
            "ansible",
            "playbook",
            "-i",
            str(tmp_path / "hosts.yml"),
            f"greenlight.deploy.{name}",
        ]
        done = subprocess.run(
            [*argv, "-e", json.dumps(variables)],
            env=environment, cwd=tmp_path, check=False, capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode == 0, done.stdout + done.stderr

    return run


def test_a_backup_a_refusal_a_rehearsal_and_a_restore(play, cluster, database, tmp_path):
    well, told = play("backup", backup_verification="restore")
    assert well, told
    assert f"{database} is saved as" in told
    cluster.sql(database, "INSERT INTO orders VALUES (301)")

    well, told = play("restore")
    assert not well
    assert "301 rows now, 300 rows in the backup" in told
    assert cluster.sql(database, "SELECT count(*) FROM orders") == [(301,)]

    well, told = play("restore", restore_rehearse=True)
    assert well, told
    assert "the scratch is dropped" in told
    assert cluster.sql(database, "SELECT count(*) FROM orders") == [(301,)]

    well, told = play("restore", restore_confirm=database, restore_id="R1")
    assert well, told
    assert cluster.sql(database, "SELECT count(*) FROM orders") == [(300,)]
    assert cluster.sql(f"{database}_replaced_R1", "SELECT count(*) FROM orders") == [(301,)]
    record = json.loads((tmp_path / "restores" / "R1.json").read_text())
    assert (record["database"], record["tables"][0]["now"]) == (database, 301)
    assert 0 < record["outage_seconds"] < record["recovery_time_seconds"]
    assert record["recovery_point_seconds"] > 0

    well, told = play("restore", restore_confirm=database, restore_id="R1")
    assert well, told
    assert "changed=0" in told


def test_without_a_database_nothing_is_backed_up_and_that_is_said(play, tmp_path):
    well, told = play("backup", backup_url="")
    assert well, told
    assert "nothing is backed up" in told
    assert not (tmp_path / "backups").exists()
