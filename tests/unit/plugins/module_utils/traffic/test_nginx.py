# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sys

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import CommandFailed
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx import Nginx, run_program

EMERG = """\
2026/11/22 13:25:03 [emerg] 3696#3696: unknown directive "x" in /etc/nginx/a.conf:1
nginx: configuration file /etc/nginx/nginx.conf test failed
"""


def answering(status, output):
    calls = []

    def run(command):
        calls.append(list(command))
        return status, output

    return Nginx(run, ("nginx", "-c", "x")), calls


@pytest.mark.parametrize(
    ("status", "output", "version"),
    [
        (0, "nginx version: nginx/1.22.1\n", (1, 22, 1)),
        (0, "nginx version: nginx/1.26.3 (Ubuntu)", (1, 26, 3)),
        (127, "x", None),
    ],
)
def test_the_version(status, output, version):
    assert answering(status, output)[0].version() == version


@pytest.mark.parametrize(
    ("status", "output", "problem"),
    [
        (0, "", ""),
        (0, "[warn] something", ""),
        (1, EMERG, 'unknown directive "x" in /etc/nginx/a.conf:1'),
        (1, "nginx: [emerg] open() failed\n", "open() failed"),
        (1, "", "exit status 1"),
        (124, "not finished", "not finished"),
    ],
)
def test_what_nginx_complains_of(status, output, problem):
    assert answering(status, output)[0].problem() == problem


def test_its_files():
    dump = "# configuration file /a:\nworker_processes 1;\n"
    assert answering(0, dump)[0].files() == {"/a": "\nworker_processes 1;\n"}
    assert answering(1, dump)[0].files() == {}


def test_reload_and_start():
    nginx, calls = answering(0, "")
    nginx.reload()
    nginx.start()
    assert calls == [["nginx", "-c", "x", "-s", "reload"], ["systemctl", "start", "nginx"]]


@pytest.mark.parametrize(("status", "enabled"), [(0, True), (1, False), (127, False)])
def test_whether_it_starts_at_boot(status, enabled):
    nginx, calls = answering(status, "")
    assert nginx.enabled() is enabled
    assert calls == [["systemctl", "is-enabled", "--quiet", "nginx.service"]]


def test_a_reload_that_fails_says_so():
    with pytest.raises(CommandFailed, match="exit status 1: no pid") as caught:
        answering(1, "no pid")[0].reload()
    assert caught.value.where == "nginx -c x -s reload"


def test_programs_are_run():
    assert run_program([sys.executable, "-c", "import sys; print('out'); sys.stderr.write('err'); sys.exit(3)"])[0] == 3
    assert run_program(["no-such-program"]) == (127, "no-such-program: not found")
