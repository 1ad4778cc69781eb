# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import stat

from tools import keys


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "SECRETS", tmp_path / "secrets.json")
    first = keys.passwords()
    assert set(first) == set(keys.NAMES)
    assert len(set(first.values())) == len(keys.NAMES)
    assert keys.passwords() == first
    assert stat.S_IMODE(keys.SECRETS.stat().st_mode) == 0o600


def test_a_secret_that_a_later_version_needs_is_added_to_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "SECRETS", tmp_path / "secrets.json")
    keys.SECRETS.write_text(json.dumps({"redis_password": "kept"}))
    assert keys.passwords()["redis_password"] == "kept"
    assert set(keys.passwords()) == set(keys.NAMES)
