# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nginx file of one application: how requests find their colour without a reload.

Per request: client -> key -> class (``split_clients``) -> colour (is there a file of that name in the current state?)
-> upstream. A switch of the state's symbolic link therefore acts on the next request, and no connection is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.site import Site
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import (
    CLASSES,
    COLOURS,
    LIVE,
    Colour,
    other,
)

HTTP2_DIRECTIVE = (1, 25, 1)  # from here on `http2 on;`, before it `listen ... http2`
MARK = "@greenlight-site@"
CONTROL_PATHS = "/.greenlight/"  # the deployment asks an instance on these, a client never
SITE_PATH = f"{CONTROL_PATHS}site"  # answered by nginx itself, and only to testers


@dataclass(frozen=True)
class Place:
    """What the file must know about the host: nginx's version, paths, which ports have a backlog from another file."""

    version: tuple[int, int, int]
    current: str
    certificate: str
    key: str
    log: str
    extra: str
    backlog_elsewhere: frozenset[str] = frozenset()


def variable(app: str, name: str) -> str:
    """The nginx variable of this application: ``$gl_mobile_sync_class``."""
    return f"${prefix(app)}_{name}"


def prefix(app: str) -> str:
    """Prefix of everything that must not meet another application's: ``gl_mobile_sync``."""
    return "gl_" + app.replace("-", "_")


def pool(app: str, colour: Colour, *, guarded: bool = False) -> str:
    """The name of an upstream."""
    return f"{app}_{colour}_guarded" if guarded else f"{app}_{colour}"


class Rendered(NamedTuple):
    """The text of the file, and twelve hex digits that stand for it, which nginx tells to testers."""

    text: str
    site_id: str


def render(site: Site, place: Place) -> Rendered:
    """The whole file; it contains the tester's token, so only root may read it."""
    sections = (
        _head(site, place),
        _key_maps(site),
        _split(site),
        _tester_maps(site),
        _cookie_map(site),
        _shown_maps(site),
        _connection_maps(site),
        _log_format(site),
        *(_upstream(site, colour, guarded=guarded) for colour in COLOURS for guarded in (False, True)),
        _redirect_server(site, place),
        _server(site, place),
    )
    text = "\n\n".join("\n".join(section) for section in sections) + "\n"
    site_id = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Rendered(text.replace(MARK, site_id), site_id)


def _block(opening: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"{opening} {{"
    for line in lines:
        yield f"    {line}" if line else ""
    yield "}"


def _map(source: str, target: str, *cases: tuple[str, str]) -> Iterator[str]:
    return _block(f"map {source} {target}", (f"{case} {value};" for case, value in cases))


def _head(site: Site, place: Place) -> Iterator[str]:
    yield f"# {site.app}: written by greenlight.deploy, role web_proxy. Changes made here by hand are overwritten;"
    yield f"# put further directives for the server into {place.extra}."
    yield f"# Which colour answers is decided per request by the files in {place.current}."


def _key_maps(site: Site) -> Iterator[str]:
    """The key is the first source that is not empty, found from the last to the first."""
    yield "# client -> key"
    key = site.key_sources[-1]
    for index, source in reversed(list(enumerate(site.key_sources[:-1]))):
        target = variable(site.app, f"key{index}")
        yield from _map(source, target, ('""', key), ("default", source))
        key = target
    yield from _map('""', variable(site.app, "key"), ("default", key))


def _split(site: Site) -> Iterator[str]:
    yield "# key -> class, always the same one"
    shares = [f"1% {name};" for name in CLASSES[:-1]] + [f"* {CLASSES[-1]};"]
    rows = [" ".join(shares[start : start + 10]) for start in range(0, len(shares), 10)]
    hashed, cookie = variable(site.app, "hashed"), '"~^c[0-9][0-9]$"'
    yield from _block(f'split_clients "{variable(site.app, "key")}" {hashed}', rows)
    yield "# a client that has been told its class keeps it"
    told = variable(site.app, "class")
    yield from _map("$cookie_greenlight_class", told, ("default", hashed), (cookie, "$cookie_greenlight_class"))
    if site.cookie:
        value = f'"greenlight_class={told}; Path=/; Max-Age={site.limits.cookie}; HttpOnly; Secure; SameSite=Lax"'
        target = variable(site.app, "set_cookie")
        yield from _map("$cookie_greenlight_class", target, ("default", value), (cookie, '""'))


def _tester_maps(site: Site) -> Iterator[str]:
    """``""``: not a tester; ``class``: a tester who goes where his class goes; a colour: a tester who asks for it."""
    token, by_cookie = site.tester_token, variable(site.app, "tester_cookie")
    yield "# testers"
    cookies = [(f'"~^{token}\\.{colour}$"', colour) for colour in COLOURS]
    headers = [(f'"~^{token}:{colour}$"', str(colour)) for colour in COLOURS]
    yield from _map("$cookie_greenlight_tester", by_cookie, ("default", '""'), *cookies)
    yield from _map(
        '"$http_x_greenlight_tester:$http_x_greenlight_colour"',
        variable(site.app, "tester"),
        ("default", by_cookie),
        *headers,
        (f'"~^{token}:"', "class"),
    )


def _cookie_map(site: Site) -> Iterator[str]:
    """The application gets the client's cookies without the tester's, which is a secret."""
    before, after = variable(site.app, "before"), variable(site.app, "after")
    cookie = "greenlight_tester=[^;]*"
    yield from _map(
        "$http_cookie",
        variable(site.app, "cookies"),
        ("default", "$http_cookie"),
        (f'"~^{cookie}(; )?(?<{after[1:]}>.*)$"', after),
        (f'"~^(?<{before[1:]}>.*); {cookie}(?<{after[1:]}>.*)$"', f"{before}{after}"),
    )


_SHOWN = {
    "X-Greenlight-Colour": "colour",
    "X-Greenlight-Class": "class",
    "X-Greenlight-Upstream": "upstream",
    "X-Greenlight-Site": "site",
}


def _shown_maps(site: Site) -> Iterator[str]:
    yield "# what only testers are told"
    values = {
        "colour": variable(site.app, "colour"),
        "class": variable(site.app, "class"),
        "upstream": "$upstream_addr",
        "site": MARK,
    }
    for name, value in values.items():
        source, target = variable(site.app, "tester"), variable(site.app, f"shown_{name}")
        yield from _map(source, target, ('""', '""'), ("default", value))


def _connection_maps(site: Site) -> Iterator[str]:
    yield "# only WebSockets are upgraded"
    upgrade, connection = variable(site.app, "upgrade"), variable(site.app, "connection")
    yield from _map("$http_upgrade", upgrade, ("default", '""'), ("websocket", "websocket"))
    yield from _map(
        upgrade, connection, ("default", '""' if site.limits.keepalive else "close"), ("websocket", "upgrade")
    )


def _log_format(site: Site) -> Iterator[str]:
    fields = {
        "client": "$remote_addr",
        "method": "$request_method",
        "uri": "$uri",
        "protocol": "$server_protocol",
        "status": "$status",
        "colour": variable(site.app, "colour"),
        "class": variable(site.app, "class"),
        "pool": variable(site.app, "pool"),
        "upstream": "$upstream_addr",
        "ustatus": "$upstream_status",
        "utime": "$upstream_response_time",
        "uconnect": "$upstream_connect_time",
        "ws": variable(site.app, "upgrade"),
        "tester": variable(site.app, "tester"),
    }
    yield f"log_format {prefix(site.app)} escape=json"
    yield '    \'{"t":$msec,"rt":$request_time,"bytes":$bytes_sent\''
    for name, value in fields.items():
        yield f'    \',"{name}":"{value}"\''
    yield "    '}';"


def _upstream(site: Site, colour: Colour, *, guarded: bool) -> Iterator[str]:
    """A guarded colour lets the other one take over what it does not answer, and is given up after one failure."""
    name = pool(site.app, colour, guarded=guarded)
    fails = 1 if guarded else site.limits.max_fails
    lines = [f"zone {name} 128k;"]
    if site.balance != "round_robin":
        lines.append(f"{site.balance};")
    lines += [
        f"server {address} max_fails={fails} fail_timeout={site.limits.fail_timeout}s;"
        for address in site.upstreams[colour]
    ]
    if guarded:
        lines += [f"server {address} backup;" for address in site.upstreams[other(colour)]]
    if site.limits.keepalive:
        lines.append(f"keepalive {site.limits.keepalive};")
    return _block(f"upstream {name}", lines)


def _listen(site: Site, place: Place, port: int, options: str = "") -> Iterator[str]:
    """One line an address; only one file may set the backlog of an address and port."""
    for address in site.listen.addresses:
        where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        own = site.listen.backlog and where not in place.backlog_elsewhere
        backlog = f" backlog={site.listen.backlog}" if own else ""
        yield f"listen {where}{options}{backlog};"


def _redirect_server(site: Site, place: Place) -> Iterator[str]:
    port = "" if site.listen.https == 443 else f":{site.listen.https}"
    return _block(
        "server",
        [
            *_listen(site, place, site.listen.http),
            f"server_name {' '.join(site.names)};",
            "server_tokens off;",
            f"return 301 https://$host{port}$request_uri;",
        ],
    )


def _server(site: Site, place: Place) -> Iterator[str]:
    old = place.version < HTTP2_DIRECTIVE
    lines = [
        *_listen(site, place, site.listen.https, " ssl http2" if old else " ssl"),
        *([] if old else ["http2 on;"]),
        f"server_name {' '.join(site.names)};",
        "server_tokens off;",
        "",
        *_tls(site, place),
        "",
        *_real_ip(site),
        f"access_log {place.log} {prefix(site.app)};",
        f"client_max_body_size {site.limits.body};",
        "",
        *_decision(site, place),
        "",
        *_answer_headers(site),
        "",
        *_proxying(site),
        "",
        f"include {place.extra};",
        "",
        *_unserved(site),
    ]
    lines += ["", *_block(f"location ^~ {CONTROL_PATHS}", ["return 404;"])]
    for path in dict.fromkeys([*site.websocket_paths, "/"]):
        lines += ["", *_location(site, path)]
    return _block("server", lines)


def _tls(site: Site, place: Place) -> Iterator[str]:
    yield f"ssl_certificate {place.certificate};"
    yield f"ssl_certificate_key {place.key};"
    yield "ssl_protocols TLSv1.2 TLSv1.3;"
    yield "ssl_prefer_server_ciphers off;"
    yield f"ssl_session_cache shared:{prefix(site.app)}:10m;"
    yield "ssl_session_timeout 1d;"
    yield "ssl_session_tickets off;"


def _real_ip(site: Site) -> Iterator[str]:
    if not site.load_balancers:
        return
    for network in site.load_balancers:
        yield f"set_real_ip_from {network};"
    yield "real_ip_header X-Forwarded-For;"
    yield "real_ip_recursive on;"
    yield ""


def _decision(site: Site, place: Place) -> Iterator[str]:
    """Only ``if`` with ``set`` and ``return``: the use of ``if`` that nginx promises to keep."""
    colour, chosen, live = (variable(site.app, name) for name in ("colour", "pool", "live"))
    tester, told = variable(site.app, "tester"), variable(site.app, "class")
    yield "# class -> colour -> upstream; a cached look at the files would delay a switch"
    yield "open_file_cache off;"
    yield "disable_symlinks off;"
    yield "uninitialized_variable_warn off;"
    yield f"set {colour} blue;"
    yield f"if (-f {place.current}/{told}) {{ set {colour} green; }}"
    of_colour = f"{site.app}_${{{colour.removeprefix('$')}}}"
    yield f"set {chosen} {of_colour};"
    yield f"if (-f {place.current}/guard-{colour}) {{ set {chosen} {of_colour}_guarded; }}"
    yield f"set {live} no;"
    yield f"if (-f {place.current}/{LIVE}) {{ set {live} yes; }}"
    for asked in COLOURS:
        reach = f"set {colour} {asked}; set {chosen} {pool(site.app, asked)}; set {live} yes;"
        yield f"if ({tester} = {asked}) {{ {reach} }}"
    question = variable(site.app, "question")
    yield f'set {question} "{tester} $uri";'
    yield f'if ({question} ~ "^[a-z]+ {SITE_PATH.replace(".", chr(92) + ".")}$") {{ return 204; }}'
    yield f"if ({live} = no) {{ set {colour} none; return 503; }}"


def _answer_headers(site: Site) -> Iterator[str]:
    if site.limits.hsts:
        yield f'add_header Strict-Transport-Security "max-age={site.limits.hsts}" always;'
        yield "proxy_hide_header Strict-Transport-Security;"
    if site.cookie:
        yield f"add_header Set-Cookie {variable(site.app, 'set_cookie')} always;"
    for header, name in _SHOWN.items():
        yield f"add_header {header} {variable(site.app, f'shown_{name}')} always;"
        yield f"proxy_hide_header {header};"


def _unserved(site: Site) -> Iterator[str]:
    """The proxy's own 503; the application's are passed on as they are."""
    headers = [f"add_header {name} {variable(site.app, f'shown_{shown}')} always;" for name, shown in _SHOWN.items()]
    yield f"error_page 503 @{prefix(site.app)}_unserved;"
    yield from _block(
        f"location @{prefix(site.app)}_unserved",
        [
            "default_type text/plain;",
            "add_header Retry-After 5 always;",
            "add_header Cache-Control no-store always;",
            *headers,
            'return 503 "no release is serving yet\\n";',
        ],
    )


def _proxying(site: Site) -> Iterator[str]:
    """For every location; what a client must not forge is overwritten, and the tester's secret goes no further."""
    retry = "error timeout non_idempotent" if site.retry_unsafe else "error timeout"
    told = {
        "Host": "$host",
        "Connection": variable(site.app, "connection"),
        "Upgrade": variable(site.app, "upgrade"),
        "X-Real-IP": "$remote_addr",
        "X-Forwarded-For": "$remote_addr",
        "X-Forwarded-Proto": "$scheme",
        "X-Forwarded-Host": "$host",
        "X-Forwarded-Port": "$server_port",
        "Forwarded": '""',
        "X-Greenlight-Class": variable(site.app, "class"),
        "X-Greenlight-Colour": '""',
        "X-Greenlight-Tester": '""',
        "X-Greenlight-Control": '""',
        "Cookie": variable(site.app, "cookies"),
    }
    yield "proxy_http_version 1.1;"
    yield from (f"proxy_set_header {name} {value};" for name, value in told.items())
    yield f"proxy_connect_timeout {site.limits.connect}s;"
    yield from _silence(site.limits.read)
    yield f"proxy_next_upstream {retry};"
    yield f"proxy_next_upstream_timeout {site.limits.retry}s;"
    yield "proxy_intercept_errors off;"


def _silence(seconds: int) -> Iterator[str]:
    yield f"proxy_read_timeout {seconds}s;"
    yield f"proxy_send_timeout {seconds}s;"


def _location(site: Site, path: str) -> Iterator[str]:
    upstream = f"proxy_pass http://{variable(site.app, 'pool')};"
    if path in site.websocket_paths:
        return _block(f"location ^~ {path}", [upstream, *_silence(site.limits.websocket), "proxy_buffering off;"])
    return _block(f"location {path}", [upstream])
