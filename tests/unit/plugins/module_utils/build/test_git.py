# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real git on small repositories; a real server that wants a password."""

from __future__ import annotations

import base64
import functools
import http.server
import subprocess
import threading

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build.git import RepositoryUnreadable, Source
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_AUTHOR_DATE": "2026-11-22T12:00:00Z",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_COMMITTER_DATE": "2026-11-22T12:00:00Z",
}


def git(folder, *words):
    done = subprocess.run(
        ["git", "-C", str(folder), *words], env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "code.py").write_text("x = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=one")
    git(folder, "tag", "--annotate", "--message=one", "v1.0.0")
    return folder


@pytest.fixture
def source(repository, tmp_path):
    return Source(str(repository), tmp_path / "cache", environ=ENVIRONMENT)


def test_a_tag_is_peeled_to_its_commit(source, repository):
    head = git(repository, "rev-parse", "HEAD")
    assert source.resolve("v1.0.0").sha == source.look("v1.0.0").sha == head
    assert git(repository, "rev-parse", "v1.0.0") != head
    assert source.committed(head) == "2026-11-22T12:00:00Z"


def test_a_branch_is_followed_and_a_commit_stays(source, repository):
    first = source.resolve("main").sha
    (repository / "code.py").write_text("x = 2\n")
    git(repository, "commit", "--quiet", "--all", "--message=two")
    second = source.resolve("main").sha
    assert second == git(repository, "rev-parse", "HEAD") != first
    assert source.resolve(first[:8]).sha == source.resolve(first).sha == first
    assert source.resolve(first[:8]).kind == "commit"


def test_to_look_writes_nothing(source, repository, tmp_path):
    head = git(repository, "rev-parse", "HEAD")
    assert source.look("main").sha == source.look(head).sha == source.look(head[:7]).sha == head
    assert source.committed(head) == ""
    assert not (tmp_path / "cache").exists()


def test_a_tag_that_was_moved_is_seen(source, repository):
    first = source.resolve("v1.0.0").sha
    git(repository, "commit", "--quiet", "--allow-empty", "--message=two")
    git(repository, "tag", "--force", "--annotate", "--message=two", "v1.0.0")
    assert source.resolve("v1.0.0").sha != first


@pytest.mark.parametrize("method", ["resolve", "look"])
@pytest.mark.parametrize("ref", ["v1.0.1", "deadbee", "mian"])
def test_a_ref_that_is_not_there_names_the_nearest(source, method, ref):
    with pytest.raises(InvalidInput, match=r"nearest: (v1.0.0|main)"):
        getattr(source, method)(ref)


def test_an_archive_is_made_once(source):
    sha = source.resolve("main").sha
    first, again = source.archive(sha), source.archive(sha)
    assert first.new
    assert not again.new
    assert (first.sha256, first.bytes) == (again.sha256, again.bytes)
    names = subprocess.run(["tar", "-tzf", str(first.path)], check=True, capture_output=True, text=True)
    assert names.stdout == "code.py\n"


def test_a_file_of_a_commit_is_read(source):
    sha = source.resolve("main").sha
    assert source.read(sha, "code.py") == "x = 1\n"
    assert source.read(sha, "missing") is None


def test_submodules_are_refused(source, repository):
    sha = git(repository, "rev-parse", "HEAD")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{sha},vendor")
    git(repository, "commit", "--quiet", "--message=link")
    with pytest.raises(InvalidInput, match="submodules \\(vendor\\)"):
        source.archive(source.resolve("main").sha)


def test_what_a_killed_run_left_locked_is_no_hindrance(source, repository):
    source.resolve("main")
    (source.mirror / "packed-refs.lock").write_text("")
    git(repository, "commit", "--quiet", "--allow-empty", "--message=two")
    git(repository, "branch", "--force", "other")
    assert source.resolve("other").sha == git(repository, "rev-parse", "other")


def test_a_repository_that_is_not_there_says_so(tmp_path):
    with pytest.raises(RepositoryUnreadable, match="git cannot read the repository"):
        Source(str(tmp_path / "nothing"), tmp_path / "cache", environ=ENVIRONMENT).resolve("main")


class Guarded(http.server.SimpleHTTPRequestHandler):
    """A repository as files behind a password."""

    def do_GET(self):
        wanted = "Basic " + base64.b64encode(b"deploy:p@ss/word").decode()
        if self.headers.get("Authorization") == wanted:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        """Quiet."""


@pytest.fixture
def guarded(repository):
    git(repository, "update-server-info")
    handler = functools.partial(Guarded, directory=str(repository / ".git"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_user_and_password_reach_the_server(guarded, repository, tmp_path):
    source = Source(f"http://deploy:p%40ss%2Fword@{guarded}/", tmp_path / "cache", environ=ENVIRONMENT)
    assert source.look("main").sha == source.resolve("main").sha == git(repository, "rev-parse", "HEAD")
    assert "p@ss" not in (source.mirror / "config").read_text()


def test_a_wrong_password_is_refused_without_a_question_and_not_shown(guarded, tmp_path):
    source = Source(f"http://deploy:wrong-one@{guarded}/", tmp_path / "cache", environ=ENVIRONMENT)
    with pytest.raises(RepositoryUnreadable) as refused:
        source.resolve("main")
    assert "wrong-one" not in str(refused.value)
    assert f"http://{guarded}/" in str(refused.value)
