# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Questions to the proxy by curl and openssl, each with what the answer must have and must not have."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass

CURL = ["curl", "--include", "--silent", "--show-error", "--max-time", "5"]
SYNC = [
    *CURL,
    "--resolve",
    "sync.example.com:443:127.0.0.1",
    "--cacert",
    "/etc/nginx/greenlight/sync-app/certificate.pem",
]
SHOP = [*CURL, "--resolve", "shop.example.com:443:127.0.0.1", "--cacert", "/etc/nginx/greenlight/shop/certificate.pem"]
HOME = "https://sync.example.com/"
TESTER = ["-H", "X-Greenlight-Tester: molecule-tester-token-1"]
GREEN = ["-H", "X-Greenlight-Colour: green"]
WEBSOCKET = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket", "-H", "Sec-WebSocket-Version: 13"]
WEBSOCKET += ["-H", "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw=="]
FORGED = ["-H", "X-Greenlight-Class: c99", "-H", "X-Forwarded-For: 6.6.6.6", "-H", "X-Real-IP: 6.6.6.6"]
FORGED += ["-H", "Forwarded: for=6.6.6.6", "-H", "X-Forwarded-Proto: http", "-H", "X-Device-Id: abc"]


@dataclass(frozen=True)
class Case:
    """``says`` and ``never`` are patterns for the output, ``status`` is the exit status of the command."""

    name: str
    command: list[str]
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    status: int = 0


CASES = [
    Case(
        "blue answers over HTTP/2, and the client is told its class",
        [*SYNC, HOME],
        (
            r"HTTP/2 200",
            r'"colour": "blue"',
            r"max-age=31536000",
            r"greenlight_class=c\d\d; .*HttpOnly; Secure; SameSite=Lax",
        ),
    ),
    Case(
        "a client keeps its class by cookie, and is not told again",
        [*SYNC, "--cookie", "greenlight_class=c42", HOME],
        (r'"x-greenlight-class": "c42"',),
        (r"set-cookie",),
    ),
    Case(
        "a cookie that is no class is not believed",
        [*SYNC, "--cookie", "greenlight_class=../live", HOME],
        (r'"x-greenlight-class": "c\d\d"', r"set-cookie: greenlight_class=c\d\d"),
    ),
    Case(
        "what a client forges is overwritten, and it is told nothing",
        [*SYNC, *FORGED, HOME],
        (r'"x-greenlight-class": "c07"', r'"x-forwarded-for": "127.0.0.1"', r'"x-forwarded-proto": "https"'),
        (r"6\.6\.6\.6", r"x-greenlight-upstream:", r"a lie of the application"),
    ),
    Case(
        "a tester reaches the idle colour, and the application does not see the token",
        [*SYNC, *TESTER, *GREEN, HOME],
        (r'"colour": "green"', r"x-greenlight-colour: green", r"x-greenlight-upstream: 127.0.0.1:820[12]"),
        (r"molecule-tester", r"a lie of the application"),
    ),
    Case(
        "a tester's cookie does the same, and goes no further",
        [*SYNC, "--cookie", "a=1; greenlight_tester=molecule-tester-token-1.green; b=2", HOME],
        (r'"colour": "green"', r'"cookie": "a=1; b=2"'),
    ),
    Case(
        "a wrong token is worth nothing",
        [*SYNC, "-H", "X-Greenlight-Tester: molecule-tester-token-2", *GREEN, HOME],
        (r'"colour": "blue"',),
        (r"x-greenlight-colour:",),
    ),
    Case(
        "a WebSocket is let through and stays open",
        [*SYNC, "--http1.1", "--no-buffer", "--max-time", "1", *WEBSOCKET, f"{HOME}ws/sync"],
        (r"101 Switching Protocols", r"HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
        status=28,
    ),
    Case(
        "port 80 only redirects",
        [*CURL, "-H", "Host: sync.example.com", "http://127.0.0.1/some/path?a=b"],
        (r"301 Moved Permanently", r"Location: https://sync\.example\.com/some/path\?a=b"),
    ),
    Case(
        "the second application says that it has no release, and has its own settings",
        [*SHOP, "https://shop.example.com/"],
        (r"HTTP/2 503", r"retry-after: 5", r"no release is serving yet"),
        (r"strict-transport", r"set-cookie"),
    ),
    Case(
        "its tester reaches a colour all the same",
        [*SHOP, *TESTER, *GREEN, "https://shop.example.com/"],
        (r"HTTP/2 200", r"x-greenlight-upstream: 127.0.0.1:9201"),
    ),
    Case(
        "an old protocol is refused",
        ["openssl", "s_client", "-connect", "127.0.0.1:443", "-servername", "sync.example.com", "-tls1_1"],
        status=1,
    ),
]


def problems(case: Case) -> list[str]:
    """What is wrong with the answer."""
    done = subprocess.run(case.command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    output = (done.stdout + done.stderr).decode(errors="replace")
    found = [f"exit status {done.returncode}, not {case.status}"] if done.returncode != case.status else []
    found += [f"does not say {pattern}" for pattern in case.says if not re.search(pattern, output)]
    found += [f"says {pattern}" for pattern in case.never if re.search(pattern, output)]
    return [*found, output] if found else []


def main() -> int:
    failed = False
    for case in CASES:
        found = problems(case)
        failed |= bool(found)
        print("FAILED" if found else "ok    ", case.name, *found, sep="\n  " if found else " ")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
