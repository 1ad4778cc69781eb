# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build.commands import Account
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed, InvalidInput, NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations import django
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.django_runner import MARK

NODE = {
    "name": "core.0001_initial", "dependencies": [], "applied": True, "atomic": True, "reversible": True,
    "operations": [],
}  # fmt: skip
MANAGE = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'


def request(release: Path = Path("/nowhere"), **differences: object) -> django.Request:
    account = Account("me", os.getuid(), os.getgid())
    return django.Request(release=release, environment={}, account=account, secrets=("hush-hush",), **differences)


def said(kind: str, **content: object) -> str:
    return MARK + json.dumps({"kind": kind, **content}) + "\n"


def talk(*lines: str, lock: bool = True, **differences: object) -> tuple[django.Conversation, io.StringIO]:
    """A conversation with a process that says ``lines``, and what it is told."""
    told = io.StringIO()
    return django.Conversation(request(**differences), told, io.StringIO("".join(lines)), lock=lock), told


def test_the_process_is_told_which_database_and_whether_to_lock() -> None:
    _conversation, told = talk(lock=False, database="archive", lock_wait=7.0)
    assert json.loads(told.getvalue()) == {"database": "archive", "lock": False, "lock_wait": 7.0}


def test_what_an_application_prints_is_no_answer() -> None:
    conversation, _told = talk("DEBUG loading plugins\n", said("state", migrations=[NODE], unknown=["core.0002_later"]))
    assert conversation.graph()["core.0001_initial"].applied
    assert conversation.unknown == ("core.0002_later",)


def test_targets_are_sent_at_once_and_answered_one_by_one() -> None:
    conversation, told = talk(said("applied", target="a.1", seconds=1), said("end", invalid_indexes=["i"]))
    first, end = conversation.apply(["a.1"])
    assert (first["target"], end["invalid_indexes"]) == ("a.1", ["i"])
    assert json.loads(told.getvalue().splitlines()[1]) == ["a.1"]


@pytest.mark.parametrize(
    ("lines", "kind", "text"),
    [
        ([said("locked")], NotReady, "another deployment has been migrating for 60 s"),
        ([said("error", error="OperationalError: no route")], CommandFailed, "OperationalError: no route"),
        (
            ["pool-1: login refused, hush-hush\n", said("error", error="PoolTimeout: none after 5 s")],
            CommandFailed,
            r"PoolTimeout: none after 5 s\npool-1: login refused",
        ),
        (
            ["Traceback\n", "ImportError: shop\n"],
            CommandFailed,
            r"ended without an answer\nTraceback\nImportError: shop",
        ),
        (["password hush-hush refused\n"], CommandFailed, "password .* refused"),
    ],
)
def test_what_ends_a_conversation(lines: list[str], kind: type[Exception], text: str) -> None:
    conversation, _told = talk(*lines)
    with pytest.raises(kind, match=text) as caught:
        conversation.graph()
    assert "hush-hush" not in str(caught.value)


def test_a_process_that_is_gone_is_asked_for_its_last_words() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    conversation = django.Conversation(request(), Gone(), io.StringIO("no module named django\n"), lock=True)
    with pytest.raises(CommandFailed, match="no module named django"):
        conversation.graph()


def test_the_settings_module_is_that_of_manage_py(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text(MANAGE)
    environment = request(tmp_path, lock_timeout=0.5, statement_timeout=60.0).process_environment()
    assert environment["DJANGO_SETTINGS_MODULE"] == "shop.settings"
    assert environment["PGOPTIONS"] == "-c lock_timeout=500 -c statement_timeout=60000"


def test_the_applications_own_environment_wins_and_its_options_stay(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text(MANAGE)
    own = {"DJANGO_SETTINGS_MODULE": "shop.production", "PGOPTIONS": "-c search_path=shop"}
    wanted = django.Request(release=tmp_path, environment=own, account=Account("me", 0, 0))
    environment = wanted.process_environment()
    assert environment["DJANGO_SETTINGS_MODULE"] == "shop.production"
    assert environment["PGOPTIONS"] == "-c search_path=shop -c lock_timeout=2000 -c statement_timeout=900000"


@pytest.mark.parametrize(("text", "what"), [(None, "manage.py cannot be read"), ("import os\n", "names no DJANGO_")])
def test_a_release_that_is_no_django_project_is_refused(tmp_path: Path, text: str | None, what: str) -> None:
    if text is not None:
        (tmp_path / "manage.py").write_text(text)
    with pytest.raises(InvalidInput, match=what):
        django.settings_of(tmp_path)


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release whose interpreter is this one; anybody may run it."""
    (tmp_path / "manage.py").write_text(MANAGE)
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/python").symlink_to(sys.executable)
    start = django.subprocess.Popen

    def start_as_myself(*words: object, **options: object) -> object:
        return start(*words, **{name: value for name, value in options.items() if name not in ACCOUNT})

    monkeypatch.setattr(django.subprocess, "Popen", start_as_myself)
    return tmp_path


ACCOUNT = {"user", "group", "extra_groups"}


def test_the_process_is_the_runner_and_ends_with_the_conversation(release: Path) -> None:
    """There is no Django or no settings module here, which is what the runner says when it is really started."""
    with (
        pytest.raises(CommandFailed, match="ModuleNotFoundError"),
        django.converse(request(release), lock=True) as conversation,
    ):
        conversation.graph()


def test_a_process_that_takes_too_long_is_ended(release: Path) -> None:
    (release / "django.py").write_text("import threading\nthreading.Event().wait()\n")
    with (
        pytest.raises(CommandFailed, match="ended without an answer"),
        django.converse(request(release, timeout=0.2), lock=True) as conversation,
    ):
        conversation.graph()
