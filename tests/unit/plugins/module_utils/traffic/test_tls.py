# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ssl

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput
from ansible_collections.greenlight.deploy.plugins.module_utils.traffic.tls import check_pair, trusting
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.traffic.pairs import (
    CERTIFICATE,
    KEY,
    LOCKED_KEY,
    NOT_AFTER,
    OTHER_CERTIFICATE,
    OTHER_KEY,
)

NAMES = ["a.example.com"]
END = ssl.cert_time_to_seconds(NOT_AFTER)
DAY = 86400


def test_a_good_pair():
    certificate = check_pair(CERTIFICATE, KEY, ["a.example.com", "*.a.example.com"], END - 100.5 * DAY)
    assert (certificate.not_after, certificate.days_left) == (NOT_AFTER, 100)


def test_what_follows_the_first_certificate_is_the_chain():
    assert check_pair(CERTIFICATE + OTHER_CERTIFICATE, KEY, NAMES, END - 100 * DAY).days_left == 100


@pytest.mark.parametrize(
    ("certificate", "key", "names", "problem"),
    [
        (CERTIFICATE, OTHER_KEY, NAMES, "the key does not belong to the certificate"),
        (OTHER_CERTIFICATE + CERTIFICATE, KEY, NAMES, "the key does not belong to the certificate"),
        (CERTIFICATE, KEY, ["a.example.com", "b.example.com"], "asks for b.example.com would not accept"),
        (CERTIFICATE, KEY, ["example.com"], "subject alternative names cover example.com"),
        (CERTIFICATE, LOCKED_KEY, NAMES, "without a passphrase"),
        (CERTIFICATE, "", NAMES, "cannot be used together"),
        (CERTIFICATE, CERTIFICATE, NAMES, "cannot be used together"),
        ("", KEY, NAMES, "the certificate cannot be read"),
        (KEY, KEY, NAMES, "the certificate cannot be read"),
        (CERTIFICATE.replace("A", "B"), KEY, NAMES, "the certificate cannot be read"),
    ],
)
def test_what_is_wrong_with_a_pair_is_said(certificate, key, names, problem):
    with pytest.raises(InvalidInput, match=problem):
        check_pair(certificate, key, names, END - 100 * DAY)


@pytest.mark.parametrize("left", [6, 0, -3])
def test_a_certificate_that_ends_soon_is_refused(left):
    with pytest.raises(InvalidInput, match=f"in {left} days"):
        check_pair(CERTIFICATE, KEY, NAMES, END - left * DAY)


def test_only_that_certificate_is_trusted():
    assert trusting(CERTIFICATE).verify_mode == ssl.CERT_REQUIRED
    assert trusting(CERTIFICATE).check_hostname
