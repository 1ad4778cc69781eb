# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.database import s3
from ansible_collections.greenlight.deploy.plugins.module_utils.database.s3 import (
    MIB,
    Copies,
    Place,
    arrived,
    copies_of,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

OPTION = {
    "bucket": "backups", "prefix": "/production/", "region": None, "endpoint_url": None, "sse": "aws:kms",
    "kms_key_id": "key-1", "access_key": "id", "secret_key": "canary", "session_token": None, "part_size": 8,
}  # fmt: skip
CONTENT = b"part"
SHA = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


def test_a_place_is_made_of_the_option():
    place = Place.of(OPTION)
    assert (place.prefix, place.part) == ("production", 8 * MIB)
    assert place.encryption == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "key-1"}
    assert Place.of({**OPTION, "sse": "AES256"}).encryption == {"ServerSideEncryption": "AES256"}
    assert "canary" not in repr(place)


def test_parts_that_the_protocol_refuses_are_refused_here():
    with pytest.raises(InvalidInput, match="part_size"):
        Place.of({**OPTION, "part_size": 4})


@pytest.mark.parametrize(
    ("part", "there"),
    [
        ({"Size": 4, "ETag": "?", "ChecksumSHA256": SHA}, True),
        ({"Size": 4, "ETag": f'"{MD5}"', "ChecksumSHA256": "other"}, False),
        ({"Size": 4, "ETag": f'"{MD5}"'}, True),
        ({"Size": 4, "ETag": '"of-kms"'}, False),
        ({"Size": 3, "ETag": f'"{MD5}"', "ChecksumSHA256": SHA}, False),
    ],
)
def test_a_part_that_arrived_is_known_by_its_checksum(part, there):
    assert arrived(part, CONTENT, SHA) is there


def test_without_boto3_that_is_said_where_copies_are_wanted(monkeypatch):
    monkeypatch.setattr(s3, "boto3", None)
    assert copies_of(None, "shop", "shop") is None
    with pytest.raises(InvalidInput, match="install python3-boto3"):
        Copies(Place.of(OPTION), "shop", "shop")
