# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lock files that pip can install by hash alone."""

from __future__ import annotations

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.build.requirements import parse_lock, troubles
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

H = "--hash=sha256:" + "0" * 64
I = "--hash=sha256:" + "1" * 64  # noqa: E741 - the other hash

LOCK = f"""\
# made by a tool
--index-url https://pypi.example.com/simple
Django==5.2.19 \\
    {H} \\
    {I}
    # via -r requirements.in
channels_redis[crypto]==4.3.0 ; python_version >= "3.10" {H}
"""


def test_packages_are_read_with_normalized_names():
    assert parse_lock(LOCK, "requirements.lock").packages == {"django": "5.2.19", "channels-redis": "4.3.0"}


def test_comments_and_order_do_not_change_the_digest():
    one = parse_lock(f"a==1 {H}\nb==2 {I}\n", "x")
    other = parse_lock(f"# later\nb==2 \\\n    {I}\n\na==1   {H}  # via b\n", "x")
    assert one.sha256 == other.sha256


def test_another_version_or_hash_changes_it():
    digests = {parse_lock(text, "x").sha256 for text in (f"a==1 {H}", f"a==2 {H}", f"a==1 {I}", f"a==1 {H} {I}")}
    assert len(digests) == 4


def test_an_empty_lock_is_a_lock():
    assert parse_lock("", "x").packages == {}
    assert len(parse_lock("# nothing\n", "x").sha256) == 64


def test_a_url_with_a_hash_is_taken():
    assert parse_lock(f"thing @ https://example.com/thing.whl {H}", "x").packages == {}


@pytest.mark.parametrize(
    "line",
    [
        "django==5.2.19",
        f"django>=5.2 {H}",
        f"django {H}",
        f"./local {H}",
        "-e .",
        "--editable=.",
        "-r other.txt",
        "-c constraints.txt",
        "git+https://example.com/x.git",
        "django==5.2.19 --hash=sha256:short",
    ],
)
def test_what_is_not_pinned_with_a_hash_is_refused_by_line(line):
    with pytest.raises(InvalidInput) as refused:
        parse_lock(f"a==1 {H}\n{line}\n", "requirements.lock")
    assert "requirements.lock" in str(refused.value)
    assert "line 2: " in str(refused.value)


def test_many_wrong_lines_are_counted():
    with pytest.raises(InvalidInput, match="line 5: p4==1 and 3 more"):
        parse_lock("".join(f"p{number}==1\n" for number in range(8)), "x")


def test_a_line_that_goes_on_is_named_by_its_beginning():
    with pytest.raises(InvalidInput, match="line 3: b==1"):
        parse_lock(f"a==1 \\\n    {H}\nb==1 \\\n    # no hash\n", "x")


@pytest.mark.parametrize("redis", ["8.0.0", "8.1.0", "9.0"])
def test_the_pair_that_closes_idle_websockets_is_told(redis):
    (trouble,) = troubles({"redis": redis, "channels-redis": "4.3.0"})
    assert f"redis {redis} with channels-redis 4.3.0" in trouble


@pytest.mark.parametrize(
    "packages",
    [
        {},
        {"redis": "8.1.0"},
        {"redis": "7.4.1", "channels-redis": "4.3.0"},
        {"redis": "8.1.0", "channels-redis": "4.3.1"},
        {"redis": "8.1.0", "channels-redis": "5.0"},
    ],
)
def test_other_versions_are_not_told(packages):
    assert troubles(packages) == ()
