# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import json

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import django_runner


def test_whatever_goes_wrong_is_told(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "django.py").write_text("raise RuntimeError('settings are broken')\n")
    monkeypatch.setattr(django_runner.sys, "stdin", io.StringIO('{"database": "default", "lock": true}\n'))
    monkeypatch.setattr(django_runner.sys, "path", list(django_runner.sys.path))
    with pytest.raises(RuntimeError):
        django_runner.main()
    line = capsys.readouterr().out.removeprefix(django_runner.MARK)
    assert json.loads(line) == {"kind": "error", "error": "RuntimeError: settings are broken"}
