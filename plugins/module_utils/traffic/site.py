# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One application on a proxy, as data: everything that its nginx file says, checked when it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import Colour
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.upstreams import Upstreams, upstreams

STICKY_COOKIE = "cookie"
BALANCE = ("round_robin", "least_conn")


@dataclass(frozen=True)
class Listen:
    """Where nginx listens. ``addresses`` may have ``0.0.0.0`` and ``::``; ``backlog`` 0 leaves the system's."""

    addresses: tuple[str, ...] = ("0.0.0.0", "::")  # noqa: S104 - a public web server
    http: int = 80
    https: int = 443
    backlog: int = 4096


@dataclass(frozen=True)
class Limits:
    """Seconds, sizes and counts."""

    body: str = "20m"
    connect: int = 2
    read: int = 30
    websocket: int = 300
    retry: int = 10
    max_fails: int = 3
    fail_timeout: int = 5
    keepalive: int = 0
    hsts: int = 31536000
    cookie: int = 2592000


@dataclass(frozen=True)
class Site:
    """One application on this proxy. ``key_sources`` are nginx variables, the first that is not empty is the key."""

    app: str
    names: tuple[str, ...]
    upstreams: Upstreams
    tester_token: str
    key_sources: tuple[str, ...] = ("$http_x_device_id", "$remote_addr")
    cookie: bool = True
    websocket_paths: tuple[str, ...] = ("/ws/",)
    health_path: str = "/health"
    load_balancers: tuple[str, ...] = ()
    balance: str = "round_robin"
    retry_unsafe: bool = False
    listen: Listen = Listen()
    limits: Limits = Limits()

    @property
    def domain(self) -> str:
        """The first name: redirects and questions go to it."""
        return self.names[0]


def keeping(site: Site, installed: Upstreams, colours: Iterable[Colour]) -> Site:
    """The site with the addresses of ``colours`` as they are installed.

    Instances that have clients run where they were started, whatever the description says by now; the other colour
    takes the new places.
    """
    return replace(site, upstreams={**site.upstreams, **{colour: installed[colour] for colour in colours}})


def read_site(params: Mapping[str, Any]) -> Site:
    """The site that the options of the module describe; :class:`InvalidInput` names the option that is wrong."""
    names = [text.domain_name(params["domain"])]
    names += [text.domain_name(name, "aliases") for name in params["aliases"]]
    limits = _limits(params)
    _check_ping(params["websocket_ping"], limits.websocket)
    return Site(
        app=text.app_name(params["app"]),
        names=text.no_doubles(names, "aliases"),
        upstreams=upstreams(params["apps"], params["proxies"], params["services"], params["service"], params["groups"]),
        tester_token=text.token(params["tester_token"], "tester_token"),
        key_sources=_key_sources(params["sticky"]),
        cookie=STICKY_COOKIE in params["sticky"],
        websocket_paths=_outermost(text.no_doubles(_each(text.url_path, params, "websocket_paths"), "websocket_paths")),
        health_path=text.url_path(params["health_path"], "health_path"),
        load_balancers=_each(text.network, params, "load_balancers"),
        balance=params["balance"],
        retry_unsafe=params["retry_unsafe"],
        listen=_listen(params),
        limits=limits,
    )


def _each(check: Callable[[Any, str], str], params: Mapping[str, Any], option: str) -> tuple[str, ...]:
    return tuple(check(value, option) for value in params[option])


def _outermost(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Without the paths that lie below another one."""
    return tuple(
        path for path in paths if not any(path != above and path.startswith(above.rstrip("/") + "/") for above in paths)
    )


def _limits(params: Mapping[str, Any]) -> Limits:
    def seconds(option: str, lowest: int = 1, highest: int = 86400) -> int:
        return text.number(params[option], option, lowest, highest)

    return Limits(
        body=text.size(params["body_limit"], "body_limit"),
        connect=seconds("connect_timeout", highest=75),
        read=seconds("timeout"),
        websocket=seconds("websocket_timeout"),
        retry=seconds("retry_timeout", lowest=0),
        max_fails=seconds("max_fails", lowest=0, highest=1000),
        fail_timeout=seconds("fail_timeout"),
        keepalive=seconds("keepalive", lowest=0, highest=10000),
        hsts=seconds("hsts", lowest=0, highest=10**9),
        cookie=seconds("cookie_lifetime", highest=10**9),
    )


def _listen(params: Mapping[str, Any]) -> Listen:
    addresses = text.no_doubles(_each(text.address, params, "addresses"), "addresses")
    if not addresses:
        raise InvalidInput("no address is given", where="addresses", expected="for example 0.0.0.0")
    http, https = (text.number(params[option], option, 1, 65535) for option in ("http_port", "https_port"))
    if http == https:
        raise InvalidInput(f"both are {http}", where="http_port and https_port", expected="two different ports")
    return Listen(addresses, http, https, text.number(params["backlog"], "backlog", 0, 65535))


def _check_ping(ping: int, timeout: int) -> None:
    if timeout <= 2 * ping:
        raise InvalidInput(
            f"a silent WebSocket would be closed after {timeout} s though the application pings every {ping} s",
            where="websocket_timeout",
            expected="more than twice websocket_ping",
            do="raise websocket_timeout or let the application ping more often",
        )


def _key_sources(sticky: Sequence[str]) -> tuple[str, ...]:
    """nginx variables for ``["cookie", "header:X-Device-Id", "cookie:sessionid", "address"]``."""
    if STICKY_COOKIE in sticky[1:]:
        raise InvalidInput(
            "cookie is not the first",
            where="sticky",
            expected="cookie first: it keeps the class that the other sources gave",
        )
    sources = tuple(_key_source(source) for source in sticky if source != STICKY_COOKIE)
    if not sources or sources[-1] != "$remote_addr":
        raise InvalidInput(
            "a client without any of the keys would have no class",
            where="sticky",
            expected="address at the end of the list",
            do="add address as the last entry",
        )
    return text.no_doubles(sources, "sticky")


def _key_source(source: Any) -> str:
    kind, _colon, name = str(source).partition(":")
    if source == "address":
        return "$remote_addr"
    if kind == "header" and name:
        return "$http_" + re.sub("-", "_", text.header_name(name, "sticky").lower())
    if kind == "cookie" and name:
        return "$cookie_" + text.cookie_name(name, "sticky")
    raise InvalidInput(
        f"{source!r} is not a key", where="sticky", expected="cookie, header:NAME, cookie:NAME or address"
    )
