# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The split as nginx computes it, against the prediction."""

from __future__ import annotations

import random
import uuid
from collections import Counter

from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.nginx_text import SITE_PATH
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.split import class_of
from ansible_collections.greenlight.deploy.tests.integration.traffic.proxy import TOKEN, Proxy

KEYS = 5000


def some_keys() -> list[str]:
    """Device ids, and keys of every length from 1 to 40 with odd characters."""
    chance = random.Random(1)
    ids = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _number in range(KEYS - 1000)]
    letters = "".join(chr(code) for code in range(33, 127)) + "äöü€"
    return ids + ["".join(chance.choices(letters, k=1 + number % 40)) for number in range(1000)]


def test_every_key_has_the_class_that_python_predicts(proxy: Proxy) -> None:
    connection = proxy.connect()
    wrong = {}
    for key in some_keys():
        connection.request("GET", SITE_PATH, headers={"X-Greenlight-Tester": TOKEN, "X-Device-Id": key.encode()})
        response = connection.getresponse()
        response.read()
        if response.headers["X-Greenlight-Class"] != class_of(key):
            wrong[key] = response.headers["X-Greenlight-Class"]
        if response.headers.get("Connection") == "close":  # nginx ends each after 1000 requests
            connection.close()
            connection = proxy.connect()
    connection.close()
    assert wrong == {}


def test_a_client_without_a_key_is_known_by_its_address(proxy: Proxy) -> None:
    proxy.shift("blue")
    _response, body = proxy.get("/")
    assert f'"x-greenlight-class": "{class_of("127.0.0.1")}"' in body.decode()


def test_a_client_that_loses_its_key_keeps_its_class_by_cookie(proxy: Proxy) -> None:
    proxy.shift("blue")
    proxy.shift("green", 50)
    colours: Counter[tuple[bool, bool]] = Counter()
    for number in range(100):
        first, body = proxy.get("/", X_Device_Id=f"device {number}")
        cookie = first.headers["Set-Cookie"].partition(";")[0]
        assert cookie == f"greenlight_class={class_of(f'device {number}')}"
        green = b'"colour": "green"' in body
        again, body = proxy.get("/", Cookie=cookie)
        assert again.headers["Set-Cookie"] is None
        colours[green, b'"colour": "green"' in body] += 1
    assert set(colours) == {(True, True), (False, False)}
