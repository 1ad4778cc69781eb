# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_conf import Directive, directives
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_text import Place, render
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.site import Limits, Listen
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.samples import SITE, TOKEN

PLACE = Place((1, 22, 1), "/state/current", "/tls/certificate.pem", "/tls/key.pem", "/log/a.json", "/extra/*.conf")


def said(name, site=SITE, place=PLACE, within=None):
    """The arguments of every directive of this name, in this context when one is given."""
    found: list[Directive] = list(directives(render(site, place).text))
    return [" ".join(one.arguments) for one in found if one.name == name and within in (None, one.context)]


def test_braces_and_directives_are_whole():
    text = render(SITE, PLACE).text
    assert text.count("{") == text.count("}")
    assert [one.name for one in directives(text) if one.name in ("", "@greenlight-site@")] == []


def test_the_id_stands_for_the_text():
    first = render(SITE, PLACE)
    assert re.fullmatch(r"[0-9a-f]{12}", first.site_id)
    assert first == render(SITE, PLACE)
    assert first.site_id in first.text
    assert render(replace(SITE, tester_token=TOKEN + "x"), PLACE).site_id != first.site_id


def test_a_hundred_classes_of_one_percent():
    shares = [one for one in directives(render(SITE, PLACE).text) if one.context == ("split_clients",)]
    assert [one.name for one in shares] == ["1%"] * 99 + ["*"]
    assert [one.arguments[0] for one in shares] == [f"c{number:02d}" for number in range(100)]


def test_the_colour_comes_from_files_and_no_cache_delays_it():
    text = render(SITE, PLACE).text
    assert "if (-f /state/current/$gl_mobile_sync_class) { set $gl_mobile_sync_colour green; }" in text
    assert "if (-f /state/current/guard-$gl_mobile_sync_colour)" in text
    assert "set $gl_mobile_sync_pool mobile-sync_${gl_mobile_sync_colour}_guarded;" in text
    assert said("open_file_cache") == said("disable_symlinks") == ["off"]


def test_a_guard_is_the_other_colour_and_only_there():
    servers = {
        name: [line for line in body.splitlines() if "server " in line]
        for name, body in re.findall(r"upstream (\S+) {\n(.*?)}", render(SITE, PLACE).text, re.DOTALL)
    }
    assert {name: sum("backup" in line for line in lines) for name, lines in servers.items()} == {
        "mobile-sync_blue": 0,
        "mobile-sync_blue_guarded": 1,
        "mobile-sync_green": 0,
        "mobile-sync_green_guarded": 1,
    }
    assert servers["mobile-sync_green_guarded"][0].strip() == "server 10.0.0.21:8201 max_fails=1 fail_timeout=5s;"
    assert servers["mobile-sync_green_guarded"][1].strip() == "server 10.0.0.21:8101 backup;"


def test_names_of_two_applications_never_meet():
    texts = [render(replace(SITE, app=app), PLACE).text for app in ("shop", "shop-api")]
    names = [
        set(re.findall(r"(?:map \S+|split_clients \S+|upstream|log_format|zone|@) ?(\S+)", text)) for text in texts
    ]
    own = [{name for name in found if "shop" in name} for found in names]
    assert own[0].isdisjoint(own[1])


@pytest.mark.parametrize(
    ("version", "listen", "http2"),
    [((1, 22, 1), "0.0.0.0:443 ssl http2 backlog=4096", []), ((1, 25, 1), "0.0.0.0:443 ssl backlog=4096", ["on"])],
)
def test_http2_in_the_words_of_the_version(version, listen, http2):
    place = replace(PLACE, version=version)
    assert listen in said("listen", place=place)
    assert said("http2", place=place) == http2


def test_only_one_file_sets_the_backlog_of_a_port():
    place = replace(PLACE, backlog_elsewhere=frozenset({"0.0.0.0:443", "[::]:80"}))
    assert said("listen", place=place) == [
        "0.0.0.0:80 backlog=4096",
        "[::]:80",
        "0.0.0.0:443 ssl http2",
        "[::]:443 ssl http2 backlog=4096",
    ]


def test_nobody_s_default_server_is_taken():
    assert "default_server" not in render(SITE, PLACE).text


def test_the_redirect_keeps_the_port():
    site = replace(SITE, listen=Listen(https=8443))
    assert said("return", site)[0] == "301 https://$host:8443$request_uri"
    assert said("return")[0] == "301 https://$host$request_uri"


def test_what_a_client_could_forge_is_overwritten():
    told = dict(one.split(maxsplit=1) for one in said("proxy_set_header"))
    assert told["X-Forwarded-For"] == told["X-Real-IP"] == "$remote_addr"
    assert told["X-Forwarded-Proto"] == "$scheme"
    assert told["X-Greenlight-Class"] == "$gl_mobile_sync_class"
    assert told["X-Greenlight-Tester"] == told["X-Greenlight-Colour"] == told["Forwarded"] == '""'
    assert told["X-Greenlight-Control"] == '""'


def test_no_client_reaches_what_the_deployment_asks_instances():
    assert said("return", within=("server", "location"))[-1] == "404"
    assert "location ^~ /.greenlight/ {\n        return 404;\n    }" in render(SITE, PLACE).text


def test_what_testers_are_told_cannot_come_from_the_application():
    hidden, told = said("proxy_hide_header"), {one.split()[0] for one in said("add_header", within=("server",))}
    assert {name for name in told if name.startswith("X-Greenlight")} <= set(hidden)


def test_a_websocket_may_be_silent_for_longer():
    assert said("proxy_read_timeout", within=("server",)) == ["30s"]
    assert said("proxy_read_timeout", within=("server", "location")) == ["300s"]
    assert said("location", replace(SITE, websocket_paths=("/",))) == [
        "@gl_mobile_sync_unserved",
        "^~ /.greenlight/",
        "^~ /",
    ]


def test_the_cookie_is_for_the_server_alone():
    [cookie] = re.findall(r'"(greenlight_class=.*?)"', render(SITE, PLACE).text)
    assert cookie.endswith("; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax")
    without = render(replace(SITE, cookie=False), PLACE).text
    assert "Set-Cookie" not in without


def test_the_first_source_that_is_there_is_the_key():
    text = render(replace(SITE, key_sources=("$http_x_user", "$cookie_sid", "$remote_addr")), PLACE).text
    assert 'map $cookie_sid $gl_mobile_sync_key1 {\n    "" $remote_addr;\n    default $cookie_sid;\n}' in text
    assert 'map $http_x_user $gl_mobile_sync_key0 {\n    "" $gl_mobile_sync_key1;\n    default $http_x_user;\n}' in text


@pytest.mark.parametrize(
    ("site", "name", "value"),
    [
        (replace(SITE, retry_unsafe=True), "proxy_next_upstream", ["error timeout non_idempotent"]),
        (SITE, "proxy_next_upstream", ["error timeout"]),
        (replace(SITE, load_balancers=("10.0.0.0/24",)), "set_real_ip_from", ["10.0.0.0/24"]),
        (replace(SITE, load_balancers=("10.0.0.0/24",)), "real_ip_header", ["X-Forwarded-For"]),
        (SITE, "real_ip_header", []),
        (replace(SITE, balance="least_conn"), "least_conn", [""] * 4),
        (replace(SITE, limits=Limits(keepalive=8)), "keepalive", ["8"] * 4),
        (replace(SITE, limits=Limits(body="0")), "client_max_body_size", ["0"]),
        (replace(SITE, names=("a.example", "b.example")), "server_name", ["a.example b.example"] * 2),
        (SITE, "ssl_protocols", ["TLSv1.2 TLSv1.3"]),
        (SITE, "include", ["/extra/*.conf"]),
        (SITE, "access_log", ["/log/a.json gl_mobile_sync"]),
    ],
)
def test_settings_reach_the_file(site, name, value):
    assert said(name, site) == value


def test_no_hsts_when_it_is_not_wanted():
    assert "Strict-Transport-Security" not in render(replace(SITE, limits=Limits(hsts=0)), PLACE).text


def test_the_log_never_has_the_query():
    text = render(SITE, PLACE).text
    log = text[text.index("log_format") : text.index("upstream mobile-sync_blue")]
    assert "$uri" in log
    assert "$request_uri" not in log
    assert "$args" not in log
