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
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.ledger_table import Owner
from ansible_collections.greenlight.deploy.plugins.module_utils.migrations.waiting import Terms

NODE = {
    "name": "core.0001_initial", "dependencies": [], "applied": True, "atomic": True, "reversible": True,
    "operations": [],
}  # fmt: skip
OWNER = Owner("shop", "d1", "r1", "v1")
MANAGE = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'


def request(release: Path = Path("/nowhere"), **differences: object) -> django.Request:
    account = Account("me", os.getuid(), os.getgid())
    usual = {"environment": {}, "account": account, "owner": OWNER, "secrets": ("hush-hush",)}
    return django.Request(release=release, **{**usual, **differences})


def said(kind: str, **content: object) -> str:
    return MARK + json.dumps({"kind": kind, **content}) + "\n"


def talk(*lines: str, lock: bool = True, **differences: object) -> tuple[django.Conversation, io.StringIO]:
    """A conversation with a process that says ``lines``, and what it is told."""
    told = io.StringIO()
    return django.Conversation(request(**differences), told, io.StringIO("".join(lines)), lock=lock), told


def test_the_process_is_told_what_it_is_made_of_and_whether_to_lock() -> None:
    _conversation, told = talk(lock=False, database="archive", lock_wait=7.0, terms=Terms(tries=3))
    sources, asked = (json.loads(line) for line in told.getvalue().splitlines())
    assert sources[-1][0].endswith(".django_runner")
    assert "def main()" in sources[-1][1]
    assert (asked["database"], asked["lock"], asked["lock_wait"]) == ("archive", False, 7.0)
    assert (asked["terms"]["tries"], asked["owner"]["deployment"]) == (3, "d1")


def test_what_an_application_prints_is_no_answer() -> None:
    state = said("state", migrations=[NODE], unknown=["core.0002_later"], vendor="postgresql")
    conversation, _told = talk("DEBUG loading plugins\n", state)
    assert conversation.graph()["core.0001_initial"].applied
    assert (conversation.unknown, conversation.vendor) == (("core.0002_later",), "postgresql")


def test_steps_are_sent_at_once_and_answered_one_by_one() -> None:
    answers = [said("applied", migration="a.1", seconds=1), said("end", invalid_indexes=[])]
    conversation, told = talk(said("waiting", seconds=3, blockers=["pid 7: hush-hush"]), *answers)
    (first,) = conversation.forward([["a.1"]])
    assert (first["migration"], first["seconds"]) == ("a.1", 1)
    assert json.loads(told.getvalue().splitlines()[2]) == {"do": "forward", "steps": [["a.1"]]}
    assert conversation.waits == [{"seconds": 3, "blockers": ["pid 7: ********"]}]


def test_an_index_that_is_not_valid_afterwards_fails() -> None:
    conversation, _told = talk(said("end", invalid_indexes=["shop_item_name_idx"]))
    with pytest.raises(CommandFailed, match=r"not valid: shop_item_name_idx.*REINDEX INDEX CONCURRENTLY"):
        list(conversation.forward([["a.1"]]))


FAILED = said("failed", migration="core.0002", changed=["+ column public.t.x int"], invalid=["i"])


@pytest.mark.parametrize(
    ("lines", "kind", "text"),
    [
        (
            [FAILED, said("error", error="ValueError: no good")],
            CommandFailed,
            r"core.0002: ValueError: no good\nIt left \+ column public.t.x int. Indexes that are not valid: i.*by hand",
        ),
        (
            [said("refused", error="Busy", what="the lock was not given", where="migrations", do="wait")],
            NotReady,
            "migrations: the lock was not given. Do: wait",
        ),
        (
            [said("refused", error="InvalidInput", what="role a may not", where="database d")],
            InvalidInput,
            "database d: role a may not",
        ),
    ],
)
def test_why_a_step_failed(lines: list[str], kind: type[Exception], text: str) -> None:
    conversation, _told = talk(*lines)
    with pytest.raises(kind, match=text):
        list(conversation.forward([["core.0002"]]))


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
    assert request(tmp_path).process_environment()["DJANGO_SETTINGS_MODULE"] == "shop.settings"


def test_the_applications_own_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "manage.py").write_text(MANAGE)
    own = {"DJANGO_SETTINGS_MODULE": "shop.production", "PGOPTIONS": "-c search_path=shop"}
    environment = request(tmp_path, environment=own).process_environment()
    assert {name: environment[name] for name in own} == own


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
