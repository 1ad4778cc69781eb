# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database.address import DEFAULTS, address_of, parse_url
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("", {}),
        ("postgresql:///shop", {"database": "shop"}),
        ("postgres://app@db1/shop", {"user": "app", "host": "db1", "database": "shop"}),
        ("postgis://db1:6432/shop", {"host": "db1", "port": 6432, "database": "shop"}),
        ("postgresql+psycopg://[::1]:5433/shop", {"host": "::1", "port": 5433, "database": "shop"}),
        ("postgresql://%2FRun%2Fpg/shop", {"host": "/Run/pg", "database": "shop"}),
        (
            "postgresql://a%40b:p%27%22%20%25%24%3A%2F@db1/my%20shop",
            {"user": "a@b", "password": "p'\" %$:/", "host": "db1", "database": "my shop"},
        ),
        (
            "postgresql:///shop?host=/run/pg&port=5433&sslmode=require&schema=public",
            {"database": "shop", "host": "/run/pg", "port": 5433, "ssl_mode": "require"},
        ),
    ],
)
def test_a_url_is_taken_apart(url, parts):
    assert parse_url(url) == parts


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root:canary@db1/shop",
        "postgresql://root:canary@db1:99999/shop",
        "postgresql://db1/shop?port=canary",
        "postgresql://db1/shop?port=0",
        "postgresql://[canary/shop",
    ],
)
def test_a_url_that_is_none_is_refused_without_being_told(url):
    with pytest.raises(InvalidInput) as refused:
        parse_url(url)
    assert refused.value.where == "url"
    assert "canary" not in str(refused.value)


def test_a_part_given_singly_wins():
    params = {"url": "postgresql://app:secret@db1/shop", "login_host": "db2", "login_port": None, "database": "other"}
    expected = {"host": "db2", "user": "app", "password": "secret", "database": "other"}
    assert address_of(params) == {**DEFAULTS, **expected}


@pytest.mark.parametrize(
    ("params", "where"),
    [
        ({}, "database"),
        ({"url": "postgresql://db1"}, "database"),
        ({"url": "postgresql://db1/shop?sslmode=perhaps"}, "ssl_mode"),
        ({"database": "sh\0p"}, "database"),
    ],
)
def test_what_is_missing_or_wrong_is_named(params, where):
    with pytest.raises(InvalidInput) as refused:
        address_of(params)
    assert refused.value.where == where
