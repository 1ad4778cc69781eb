# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment of processes, and a file from which systemd reads exactly that."""

from __future__ import annotations

import random
import string

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.services import environment

VALUES = [
    "", "plain", "two words", "  both ends  ", "a\tb", 'say "yes"', "don't", "$HOME ${PATH} `pwd`", "50% %i %%",
    "back\\slash \\n \\\\", "trailing\\", "# no comment", "; no", "a=b=c", "Grüße 你好 🌍", "'\"'\"", "\\\"",
    "x" * 5000,
]  # fmt: skip


def read_as_systemd_does(text: str) -> dict[str, str]:
    """Inside double quotes, systemd takes away the backslash before a quote, backslash, backtick or dollar only."""
    found = {}
    for line in text.splitlines():
        name, _equals, rest = line.partition("=")
        assert rest[0] == rest[-1] == '"'
        value, characters = "", iter(rest[1:-1])
        for character in characters:
            assert character != '"'
            following = next(characters) if character == "\\" else ""
            value += following if following and following in '"\\`$' else character + following
        found[name] = value
    return found


@pytest.mark.parametrize("value", VALUES)
def test_systemd_reads_what_was_written(value):
    text = environment.environment_file({"ANOTHER": "x", "NAME": value})
    assert read_as_systemd_does(text) == {"ANOTHER": "x", "NAME": value}
    assert environment.value_of(text, "NAME") == value
    assert environment.value_of(text, "NAM") == ""


def test_systemd_reads_whatever_was_written():
    chance = random.Random(20261122)
    letters = string.printable.replace("\n", "").replace("\r", "").replace("\x0b", "").replace("\x0c", "")
    for _attempt in range(500):
        value = "".join(chance.choices(letters + '\\"$`', k=chance.randrange(12)))
        assert read_as_systemd_does(environment.environment_file({"NAME": value})) == {"NAME": value}


@pytest.mark.parametrize("value", ["two\nlines", "carriage\r", "nul\0", "bell\a", "delete\x7f"])
def test_what_systemd_would_drop_is_refused_without_showing_it(value):
    with pytest.raises(InvalidInput) as refused:
        environment.environment_file({"KEY": value})
    assert "environment KEY" in str(refused.value)
    assert value not in str(refused.value)


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "É"])
def test_what_cannot_name_a_variable_is_refused(name):
    with pytest.raises(InvalidInput, match="name of an environment variable"):
        environment.environment_file({name: "x"})


def test_variables_are_sorted_so_that_the_text_is_always_the_same():
    assert environment.environment_file({"B": "2", "A": "1"}) == 'A="1"\nB="2"\n'


def test_greenlights_own_names_win_and_values_become_text():
    made = environment.process_environment(
        app="mobile-sync",
        colour="green",
        release="20261122T124500Z-1a2b3c4",
        version="v2",
        environment={"DEBUG": False, "GREENLIGHT_COLOUR": "red", "SAME": "environment"},
        secrets={"POOL": 4, "SAME": "secret"},
    )
    assert made == {
        "DEBUG": "False",
        "POOL": "4",
        "SAME": "secret",
        "GREENLIGHT_COLOUR": "green",
        "GREENLIGHT_RELEASE": "20261122T124500Z-1a2b3c4",
        "GREENLIGHT_VERSION": "v2",
        "PGAPPNAME": "mobile-sync-green-20261122T124500Z-1a2b3c4",
    }


def test_the_name_for_postgresql_is_never_cut():
    """The longest name of an application and a colour; PostgreSQL keeps 63 bytes."""
    made = environment.process_environment(
        app="a" * 32, colour="green", release="20261122T124500Z-1a2b3c4", version="v2", environment={}, secrets={}
    )
    assert len(made["PGAPPNAME"].encode()) == 63


def test_the_fingerprint_changes_with_all_that_a_restart_would_bring():
    first = environment.fingerprint({"A": "1"}, ["unit"])
    assert first == environment.fingerprint({"A": "1"}, ["unit"])
    others = [environment.fingerprint({"A": "2"}, ["unit"]), environment.fingerprint({"A": "1"}, ["other"])]
    assert len({first, *others}) == 3


def test_what_changes_is_told_by_name_alone():
    before = environment.environment_file({"GONE": "1", "KEY": "old-secret", "SAME": "x"})
    after = environment.environment_file({"KEY": "new-secret", "MORE": "1", "SAME": "x"})
    assert environment.changed_names(before, after) == {"GONE": "removed", "KEY": "changed", "MORE": "added"}
