# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel, workers

MASTER = "nginx: master process /usr/sbin/nginx -g daemon on;"
WORKER = "nginx: worker process"
OLD = "nginx: worker process is shutting down"
LIMITS = "Limit            Soft Limit    Hard Limit    Units\nMax open files   1024          {}            files\n"


def process(root: Path, pid: int, title: str, limit: str = "") -> None:
    folder = root / str(pid)
    folder.mkdir()
    (folder / "cmdline").write_text(title + "\0")
    if limit:
        (folder / "limits").write_text(LIMITS.format(limit))


def test_nginx_s_processes_are_told_apart(tmp_path):
    for pid, title in enumerate([MASTER, WORKER, WORKER, OLD, "python3\0nginx: worker process", "nginx-exporter"], 10):
        process(tmp_path, pid, title)
    (tmp_path / "net").mkdir()
    (tmp_path / "99").mkdir()  # a process that has ended
    kernel = Kernel(tmp_path)
    assert kernel.nginx_running()
    assert workers(kernel.nginx_titles()) == (2, 1)


def test_nothing_runs(tmp_path):
    kernel = Kernel(tmp_path)
    assert not kernel.nginx_running()
    assert workers(kernel.nginx_titles()) == (0, 0)
    assert kernel.nginx_file_limit() is None
    assert not kernel.has_ipv6()
    assert list(kernel.sockets()) == []


@pytest.mark.parametrize(("master", "limit"), [("20000", 20000), ("unlimited", None), ("", 524288)])
def test_the_file_limit_is_the_master_s_or_init_s(tmp_path, master, limit):
    process(tmp_path, 1, "/sbin/init", "524288")
    if master:
        process(tmp_path, 10, MASTER, master)
    assert Kernel(tmp_path).nginx_file_limit() == limit


def test_both_tables_are_read(tmp_path):
    (tmp_path / "net").mkdir()
    line = "heading\n 0: 0100007F:1FA5 0100007F:D0CE 01 0:0 0:0 0 0 0 14 1\n"
    for name in ("tcp", "tcp6"):
        (tmp_path / "net" / name).write_text(line)
    (tmp_path / "net/if_inet6").write_text("1 lo\n")
    assert [one.local for one in Kernel(tmp_path).sockets()] == ["127.0.0.1:8101"] * 2
    assert Kernel(tmp_path).has_ipv6()
