# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An application's place on a proxy: files written, checked by nginx and in force, or the last good ones back."""

from __future__ import annotations

import hashlib
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput, NotReady
from ansible_collections.greenlight.deploy.plugins.module_utils.fleet.listeners import Listener
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import logrotate_text, nginx_conf, nginx_text
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.contact import (
    Contact,
    NotInstalled,
    contact_of,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.files import (
    TrafficFiles,
    make_directory,
    write_atomic,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.kernel import Kernel
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.layout import Layout
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx import Nginx, Version
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_conf import Capacity
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_text import SITE_PATH, Place, Rendered
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.site import Site, keeping
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import CLASSES, NONE, classes_of
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.verify import Answer

OLDEST: Version = (1, 18, 0)
MASK = "********"
_STEP_SECONDS = 0.1
_ASK_SECONDS = 5.0
_LOG_MODE = 0o640


class Refused(GreenlightError):
    """nginx does not take the configuration; the files of before are back."""


@dataclass(frozen=True)
class Pair:
    """Certificate and key in PEM."""

    certificate: str
    key: str

    @property
    def folder(self) -> str:
        """A name that stands for this pair: a new pair has a new folder, so the file that names it changes too."""
        return "tls-" + hashlib.sha256((self.certificate + self.key).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Wanted:
    """What a file should be. ``shown``: whether a diff may contain it; ``nginx``: whether nginx reads it."""

    path: Path
    content: str
    mode: int = 0o644
    shown: bool = True
    nginx: bool = True

    def there(self) -> bool:
        """Whether the file is like this already."""
        return _saved(self.path) == (self.content.encode(), self.mode)


@dataclass(frozen=True)
class World:
    """The outside things: nginx, the kernel, a question to the proxy (path, class, seconds), the clock.

    ``patience`` is how many seconds nginx has to act on new files.
    """

    nginx: Nginx
    kernel: Kernel
    ask: Callable[[Contact, str, str, float], Answer]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    patience: float = 15.0


def usable(site: Site, kernel: Kernel) -> Site:
    """The site without IPv6 addresses on a host that has no IPv6: nginx would not start with them."""
    if kernel.has_ipv6():
        return site
    addresses = tuple(address for address in site.listen.addresses if ":" not in address)
    if not addresses:
        raise InvalidInput("this host has no IPv6", where="addresses", expected="an IPv4 address too")
    return replace(site, listen=replace(site.listen, addresses=addresses))


def with_clients_kept(site: Site, files: TrafficFiles) -> Site:
    """The site with the installed addresses of every colour that has clients or guards them, see :func:`keeping`."""
    with suppress(NotInstalled):  # nothing to keep, also when what is there cannot be read
        state = files.state()
        if state is not None:
            busy = [colour for colour, classes in classes_of(state).items() if classes or state.guarded]
            return keeping(site, files.contact().upstreams, busy)
    return site


def check_ports(site: Site, listeners: Iterable[Listener]) -> None:
    """Refuse when another program than nginx listens where nginx has to."""
    ports = {site.listen.http: "http_port", site.listen.https: "https_port"}
    for listener in listeners:
        if listener.port in ports and listener.program != "nginx" and _in_the_way(listener, site):
            raise InvalidInput(
                f"port {listener.port} is taken by {_holder(listener)} on {listener.address}",
                where=ports[listener.port],
                expected="a port that is free or nginx's",
                do="stop that program, or give another port",
            )


def _holder(listener: Listener) -> str:
    if not listener.program:
        return "a program that cannot be seen"
    return f"{listener.program} ({listener.unit or f'pid {listener.pid}'})"


def _in_the_way(listener: Listener, site: Site) -> bool:
    """Whether both cannot listen on the port: one of them listens everywhere, or both on the same address."""
    everywhere = ("*", "0.0.0.0", "::")  # noqa: S104 - compared with, not bound
    addresses = site.listen.addresses
    return listener.address in (*everywhere, *addresses) or any(address in everywhere for address in addresses)


class Installation:
    """One site on this proxy. ``least`` is what nginx must bear, ``days`` how long its log is kept."""

    def __init__(self, site: Site, pair: Pair, layout: Layout, least: Capacity, days: int, world: World) -> None:
        self._site, self._pair, self._layout, self._world = site, pair, layout, world
        self._least, self._days = replace(least, name_bytes=nginx_conf.name_bytes(site.names)), days
        self._files = TrafficFiles(layout.traffic)
        self._contact = contact_of(site, str(self._certificate))

    def run(self, *, check: bool) -> dict[str, Any]:
        """Make it so; ``reloaded`` in the answer says whether nginx had to read its files again."""
        if self.version is None and not check:
            raise InvalidInput("nginx is not installed", expected="the package nginx", do="install it first")
        wanted = self._wanted()
        changed = [one for one in wanted if not one.there()]
        diff = [self._difference(one) for one in changed if one.shown]
        known = self._files.state() is not None and self._known() == self._contact
        running = self._world.kernel.nginx_running()
        reload = any(one.nginx for one in changed) or not running or not self._in_force(self._ask())
        todo = bool(changed) or not known or reload
        if todo and not check:
            self._act(changed, running=running, reload=reload)
        return {
            "changed": todo,
            "reloaded": reload and not check,
            "version": ".".join(map(str, self.version or ())),
            "diff": diff,
        }

    @cached_property
    def version(self) -> Version | None:
        """nginx's version, None when it is not installed."""
        return self._world.nginx.version()

    @property
    def _certificate(self) -> Path:
        return self._layout.own / self._pair.folder / "certificate.pem"

    @property
    def _key(self) -> Path:
        return self._layout.own / self._pair.folder / "key.pem"

    @cached_property
    def _main(self) -> str:
        return _text(self._layout.main)

    @cached_property
    def _rendered(self) -> Rendered:
        place = Place(
            version=self.version or OLDEST,
            current=str(self._layout.current),
            certificate=str(self._certificate),
            key=str(self._key),
            log=str(self._layout.log),
            extra=str(self._layout.extra),
            backlog_elsewhere=nginx_conf.backlogs(self._world.nginx.files(), str(self._layout.site)),
        )
        return nginx_text.render(self._site, place)

    def _wanted(self) -> list[Wanted]:
        wanted = [
            Wanted(self._certificate, self._pair.certificate),
            Wanted(self._layout.certificate, self._pair.certificate, nginx=False),
            Wanted(self._key, self._pair.key, 0o600, shown=False),
            Wanted(self._layout.site, self._rendered.text, 0o600),
            Wanted(
                self._layout.logrotate,
                logrotate_text.render(str(self._layout.log), self._days, self._main),
                nginx=False,
            ),
        ]
        if self._main:
            capacity = nginx_conf.within(self._least, self._world.kernel.nginx_file_limit())
            wanted.append(Wanted(self._layout.main, nginx_conf.with_capacity(self._main, capacity)))
        return wanted

    def _known(self) -> Contact | None:
        with suppress(NotInstalled):
            return self._files.contact()
        return None

    def _act(self, changed: Sequence[Wanted], *, running: bool, reload: bool) -> None:
        make_directory(self._layout.extra.parent)
        self._files.prepare()
        self._make_log()
        with self._files.locked():
            if self._files.state() is None:
                self._files.switch(NONE)
                self._files.write_record(self._files.record())
            self._replace(changed, running=running, reload=reload)
            self._files.write_contact(self._contact)
        for folder in self._layout.own.glob("tls-*"):
            if folder.name != self._pair.folder:
                shutil.rmtree(folder)

    def _make_log(self) -> None:
        """nginx would make it readable for everyone."""
        if not self._layout.log.exists():
            make_directory(self._layout.log.parent)
            self._layout.log.touch(mode=_LOG_MODE)
            with suppress(LookupError, PermissionError):
                shutil.chown(self._layout.log, logrotate_text.log_owner(self._main), logrotate_text.LOG_GROUP)

    def _replace(self, changed: Sequence[Wanted], *, running: bool, reload: bool) -> None:
        """Write, let nginx check, put in force; on any failure the files of before are put back, and in force."""
        nginx = self._world.nginx
        saved = {one.path: _saved(one.path) for one in changed}
        bad_before = nginx.problem()
        try:
            for one in changed:
                make_directory(one.path.parent)
                write_atomic(one.path, one.content.encode(), one.mode)
            self._check(bad_before)
            if reload:
                (nginx.reload if running else nginx.start)()
                self._await_in_force()
        except BaseException:
            for path, before in saved.items():
                _put_back(path, before)
            if running and not nginx.problem():
                nginx.reload()
            raise

    def _check(self, bad_before: str) -> None:
        problem = self._world.nginx.problem()
        if problem:
            raise Refused(
                f"nginx refuses the configuration{' (and refused it before this change too)' if bad_before else ''}:"
                f" {problem}",
                where=str(self._layout.site),
                do="correct what nginx names; the files of before are back and nginx serves as it did",
            )

    def _ask(self) -> Answer:
        return self._world.ask(self._contact, SITE_PATH, CLASSES[0], _ASK_SECONDS)

    def _in_force(self, answer: Answer) -> bool:
        return answer.headers.get("x-greenlight-site") == self._rendered.site_id

    def _await_in_force(self) -> None:
        """A reload that the master gave up leaves the old configuration in force: ask which one it is."""
        end = self._world.clock() + self._world.patience
        while not self._in_force(answer := self._ask()):
            if self._world.clock() >= end:
                raise NotReady(
                    f"nginx does not act on the new configuration after {self._world.patience:.0f} s"
                    f" ({answer.error or f'status {answer.status}'})",
                    where=f"{self._contact.address}:{self._contact.port}",
                    expected=f"an answer with X-Greenlight-Site: {self._rendered.site_id}",
                    do="see nginx's error log; the files of before are back",
                )
            self._world.sleep(_STEP_SECONDS)

    def _difference(self, wanted: Wanted) -> dict[str, str]:
        """Before and after, without the tester's token."""
        known = self._known()
        before, after = _text(wanted.path), wanted.content
        for token in (self._site.tester_token, known.token if known else self._site.tester_token):
            before, after = before.replace(token, MASK), after.replace(token, MASK)
        return {
            "before_header": str(wanted.path),
            "after_header": str(wanted.path),
            "before": before,
            "after": after,
        }


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""


def _saved(path: Path) -> tuple[bytes, int] | None:
    """Content and mode, None when there is no such file."""
    try:
        return path.read_bytes(), stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return None


def _put_back(path: Path, before: tuple[bytes, int] | None) -> None:
    if before is not None:
        write_atomic(path, *before)
        return
    path.unlink(missing_ok=True)
    if path.parent.name.startswith("tls-"):
        with suppress(OSError):  # the key is still in it
            path.parent.rmdir()
