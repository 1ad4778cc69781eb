# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import nginx_conf
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_conf import Capacity

DEBIAN = """\
user www-data;
worker_processes auto;
pid /run/nginx.pid; # worker_connections 1;
include /etc/nginx/modules-enabled/*.conf;

events {
\tworker_connections 768;
\t# multi_accept on;
}

http {
\tlog_format x '{"a;b": "$uri"}';
\tmap $a $b { "~^x{1,2}$" 1; default ${c}d; }
\tserver { listen 80 default_server backlog=511; }
}
"""
LEAST = Capacity(2500, 65535, 330)


def test_directives_with_their_context():
    found = {(one.context, one.name): one.arguments for one in nginx_conf.directives(DEBIAN)}
    assert found[(), "pid"] == ("/run/nginx.pid",)
    assert found[("events",), "worker_connections"] == ("768",)
    assert found[("http",), "log_format"] == ("x", '\'{"a;b": "$uri"}\'')
    assert found[("http", "map"), '"~^x{1,2}$"'] == ("1",)
    assert found[("http", "map"), "default"] == ("${c}d",)
    assert found[("http", "server"), "listen"] == ("80", "default_server", "backlog=511")


@pytest.mark.parametrize(
    ("wanted", "drain", "capacity"),
    [
        (1000, 300, Capacity(2500, 65535, 330)),
        (1, 0, Capacity(3, 65535, 30)),
        (50000, 60, Capacity(125000, 200000, 90)),
    ],
)
def test_what_nginx_must_bear(wanted, drain, capacity):
    assert nginx_conf.capacity(wanted, drain) == capacity


def test_limits_are_raised_and_nothing_else_is_touched():
    raised = nginx_conf.with_capacity(DEBIAN, LEAST)
    assert raised == DEBIAN.replace(
        "events {", "worker_rlimit_nofile 65535;\nworker_shutdown_timeout 330s;\nevents {"
    ).replace("768", "2500")
    assert nginx_conf.with_capacity(raised, LEAST) == raised


@pytest.mark.parametrize("shutdown", ["330s", "330", "6m", "1h", "400000ms", "5m30s", "5m 30s", "1M"])
def test_limits_are_never_lowered(shutdown):
    text = f"worker_shutdown_timeout {shutdown};\nworker_rlimit_nofile 100000;\nevents {{ worker_connections 9999; }}\n"
    assert nginx_conf.with_capacity(text, LEAST) == text


@pytest.mark.parametrize("shutdown", ["5s", "1m", "4m 30s", "auto"])
def test_a_timeout_that_would_cut_websockets_is_raised(shutdown):
    text = f"worker_shutdown_timeout {shutdown};\nevents {{}}\n"
    assert "worker_shutdown_timeout 330s;" in nginx_conf.with_capacity(text, LEAST)


def test_an_empty_events_block_gets_its_directive():
    assert "events {\n\tworker_connections 2500;}" in nginx_conf.with_capacity("events {}", LEAST)


@pytest.mark.parametrize(("length", "needed"), [(1, 0), (46, 0), (47, 128), (110, 128), (111, 256), (253, 512)])
def test_a_long_name_needs_a_larger_bucket(length, needed):
    assert nginx_conf.name_bytes(["a.example", "a" * length]) == needed


def test_the_bucket_is_a_matter_of_http():
    raised = nginx_conf.with_capacity(DEBIAN, replace(LEAST, name_bytes=128))
    assert "http {\n\tserver_names_hash_bucket_size 128;\n" in raised
    assert nginx_conf.with_capacity(raised, replace(LEAST, name_bytes=128)) == raised
    assert "server_names_hash_bucket_size 256;" in nginx_conf.with_capacity(raised, replace(LEAST, name_bytes=256))


def test_a_file_without_events_is_refused():
    with pytest.raises(InvalidInput, match="no block of events"):
        nginx_conf.with_capacity("http {}", LEAST)


@pytest.mark.parametrize(
    ("limit", "files"), [(None, 65535), (1 << 20, 65535), (65535, 65535), (20000, 20000), (2500, 2500)]
)
def test_no_more_files_than_the_system_allows(limit, files):
    assert nginx_conf.within(LEAST, limit).files == files


def test_a_limit_below_the_connections_is_refused():
    with pytest.raises(InvalidInput, match="may open only 1024 files"):
        nginx_conf.within(LEAST, 1024)


def test_files_of_a_dump_and_their_backlogs():
    dump = (
        "nginx: configuration file /etc/nginx/nginx.conf test is successful\n"
        "# configuration file /etc/nginx/nginx.conf:\n" + DEBIAN + "\n"
        "# configuration file /etc/nginx/conf.d/own.conf:\nserver { listen 0.0.0.0:443 ssl backlog=1; }\n"
        "# configuration file /etc/nginx/conf.d/b.conf:\nserver { listen *:81 backlog=2; listen [::]:81 backlog=2; }\n"
    )
    files = nginx_conf.dumped_files(dump)
    assert list(files) == ["/etc/nginx/nginx.conf", "/etc/nginx/conf.d/own.conf", "/etc/nginx/conf.d/b.conf"]
    assert nginx_conf.backlogs(files, "/etc/nginx/conf.d/own.conf") == {"0.0.0.0:80", "0.0.0.0:81", "[::]:81"}
