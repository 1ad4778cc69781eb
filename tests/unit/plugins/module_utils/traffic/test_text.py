# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic import text

INJECTIONS = ["a;b", "a b", 'a"b', "a'b", "a{b", "a}b", "a$b", "a\nb", "a\\b", "a#b", "", None, 7]


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("check", [text.app_name, text.domain_name], ids=["app", "domain"])
def test_nothing_can_be_injected_by_a_name(check, value):
    with pytest.raises(InvalidInput):
        check(value)


@pytest.mark.parametrize("value", [*INJECTIONS, "x"])
@pytest.mark.parametrize(
    "check",
    [text.url_path, text.network, text.address, text.size, text.token],
    ids=["path", "network", "address", "size", "token"],
)
def test_nothing_can_be_injected_by_a_value(check, value):
    if check is text.size and value == 7:
        assert text.size(7, "option") == "7"
        return
    if check in (text.network, text.address) and value == 7:
        assert check(7, "option").startswith("0.0.0.7")
        return
    with pytest.raises(InvalidInput) as caught:
        check(value, "option")
    assert caught.value.where == "option"


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize("check", [text.header_name, text.cookie_name], ids=["header", "cookie"])
def test_nothing_can_be_injected_by_a_key(check, value):
    with pytest.raises(InvalidInput):
        check(value, "sticky")


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (text.app_name, ["a", "mobile-sync", "a" * 31]),
        (text.domain_name, ["localhost", "sync.example.com", "*.example.com", "xn--bcher-kva.example", "10.0.0.1"]),
        (lambda value: text.url_path(value, "p"), ["/", "/ws/", "/a/b.c_d~e-f"]),
        (lambda value: text.header_name(value, "h"), ["X-Device-Id", "X2"]),
        (lambda value: text.cookie_name(value, "c"), ["sessionid", "a_b"]),
        (lambda value: text.token(value, "t"), ["a" * 16, "A-b_9" * 5]),
        (lambda value: text.size(value, "s"), ["0", "512k", "20m", "1g", "1000"]),
        (lambda value: text.network(value, "n"), ["10.0.0.0/24", "fd00::/8"]),
        (lambda value: text.address(value, "a"), ["0.0.0.0", "::", "10.0.0.1"]),
    ],
)
def test_good_values_stay_as_they_are(check, good):
    assert [check(value) for value in good] == good


@pytest.mark.parametrize(
    ("check", "bad"),
    [
        (text.app_name, ["a" * 32, "1a", "A", "-a", "a_b"]),
        (
            text.domain_name,
            ["a..b", "-a.b", "a-.b", "Sync.example.com", "a" * 64, ".a", "a.", "a*.b", "a." * 127 + "com"],
        ),
        (lambda value: text.url_path(value, "p"), ["a", "/a//b", "/a/../b", "/..", "/a?b", "/%2e"]),
        (lambda value: text.token(value, "t"), ["a" * 15, "a" * 129, "a" * 16 + "."]),
        (lambda value: text.size(value, "s"), ["-1", "01m", "1t", "m"]),
        (lambda value: text.network(value, "n"), ["10.0.0.1/24"]),
    ],
)
def test_bad_values_are_refused(check, bad):
    for value in bad:
        with pytest.raises(InvalidInput):
            check(value)


def test_a_secret_is_never_shown():
    with pytest.raises(InvalidInput) as caught:
        text.token("my secret", "tester_token")
    assert "my secret" not in str(caught.value)


@pytest.mark.parametrize("value", [0, 11, True, "5", None, 5.0])
def test_a_number_out_of_range_is_refused(value):
    with pytest.raises(InvalidInput, match="option"):
        text.number(value, "option", 1, 10)


def test_a_number_in_range():
    assert [text.number(value, "option", 1, 10) for value in (1, 10)] == [1, 10]


def test_doubles_are_refused():
    assert text.no_doubles(["a", "b"], "x") == ("a", "b")
    with pytest.raises(InvalidInput, match="'a' is given twice"):
        text.no_doubles(["a", "b", "a"], "x")
