# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import django_runner


class Database:
    """A connection whose queries are answered with ``answers``, one after the other."""

    alias = "default"

    def __init__(self, *answers, vendor="postgresql"):
        self.vendor, self.answers, self.asked = vendor, list(answers), []

    @contextmanager
    def cursor(self):
        yield SimpleNamespace(
            execute=lambda query, arguments=(): self.asked.append((query, *arguments)),
            fetchone=lambda: [self.answers.pop(0)],
            fetchall=lambda: [[row] for row in self.answers.pop(0)],
        )


@pytest.fixture
def waited(monkeypatch):
    """The seconds that were slept, on a clock of its own."""
    slept = []
    monkeypatch.setattr(django_runner, "time", SimpleNamespace(monotonic=lambda: sum(slept), sleep=slept.append))
    return slept


def test_one_process_migrates(waited):
    database = Database(True)
    assert django_runner.take_lock(database, 60)
    assert waited == []
    assert database.asked[0][1] == "greenlight:migrate"


def test_it_waits_for_the_other_one(waited):
    assert django_runner.take_lock(Database(False, False, True), 60)
    assert sum(waited) == 1.0


def test_it_gives_up_after_the_wait(waited):
    assert not django_runner.take_lock(Database(*[False] * 10), 2)
    assert sum(waited) == 2.0


def test_other_databases_have_no_lock_and_no_invalid_index():
    database = Database(vendor="sqlite")
    assert django_runner.take_lock(database, 0)
    assert django_runner.invalid_indexes(database) == []
    assert database.asked == []


def test_what_a_failed_concurrent_build_left_is_named():
    database = Database(["shop_item_name_idx"])
    assert django_runner.invalid_indexes(database) == ["shop_item_name_idx"]
    assert "indisvalid AND indisready" in database.asked[0][0]


def test_whatever_goes_wrong_is_told(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "django.py").write_text("raise RuntimeError('settings are broken')\n")
    monkeypatch.setattr(django_runner.sys, "stdin", io.StringIO('{"database": "default", "lock": true}\n'))
    monkeypatch.setattr(django_runner.sys, "path", list(django_runner.sys.path))
    with pytest.raises(RuntimeError):
        django_runner.main()
    line = capsys.readouterr().out.removeprefix(django_runner.MARK)
    assert json.loads(line) == {"kind": "error", "error": "RuntimeError: settings are broken"}
