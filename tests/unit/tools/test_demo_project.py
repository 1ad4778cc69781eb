# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.checks import parse_checks
from tools import demo_project
from tools.console import Trouble
from tools.demo_project import DESCRIPTION, DOMAIN, SMOKE, certificate, choose, variables


def test_the_smoke_checks_are_right_and_hold_a_socket_long_enough():
    checks = parse_checks(SMOKE)
    assert max(getattr(check, "idle", 0) for check in checks) > 12


def test_the_certificate_is_for_the_domain_and_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(demo_project, "TLS", tmp_path)
    monkeypatch.setattr(demo_project, "CA_FILE", tmp_path / "ca.pem")
    certificate()
    pem = tmp_path / f"{DOMAIN}.crt"
    first = pem.read_text()
    verified = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-verify_hostname", DOMAIN, "-CAfile", tmp_path / "ca.pem", pem],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stderr
    certificate()
    assert pem.read_text() == first
    assert first.count("BEGIN CERTIFICATE") == 2


def test_the_version_is_written_where_a_user_writes_it(tmp_path, monkeypatch):
    file = tmp_path / "release.yml"
    monkeypatch.setattr(demo_project, "RELEASE_FILE", file)
    file.write_text('---\n# What is deployed\ngreenlight_ref: "v1.0.0"\n')
    choose("v2.0.0-sync")
    assert file.read_text() == '---\n# What is deployed\ngreenlight_ref: "v2.0.0-sync"\n'
    file.write_text("---\n")
    with pytest.raises(Trouble, match="0 times"):
        choose("v1")


def test_what_init_is_told(monkeypatch, tmp_path):
    known = {"database_password": "p@ss/word", "redis_password": "r:d", "secret_key": "k" * 50}
    monkeypatch.setattr(demo_project.keys, "passwords", lambda: known)
    told = variables(tmp_path, "v1.0.0")
    assert told["project_secrets"]["DATABASE_URL"].startswith("postgresql://mobile_sync:p%40ss%2Fword@10.99.77.31:")
    assert told["project_secrets"]["REDIS_URL"] == "redis://:r%3Ad@10.99.77.31:6379/0"
    assert told["project_proxies"] == {"gl-edge": "10.99.77.11"}
    assert told["project_description"] is DESCRIPTION
