# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of backups in an object store: encrypted there, checked after the way, taken up again where it broke off."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.greenlight.deploy.plugins.module_utils.build import tree
from ansible_collections.greenlight.deploy.plugins.module_utils.build.output import redact
from ansible_collections.greenlight.deploy.plugins.module_utils.database import manifest as manifests
from ansible_collections.greenlight.deploy.plugins.module_utils.database.backups import Backups, files_of, require_id
from ansible_collections.greenlight.deploy.plugins.module_utils.database.manifest import (
    File,
    Manifest,
    compare_files,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.database.retention import Keep, Taken, superfluous
from ansible_collections.greenlight.deploy.plugins.module_utils.errors import GreenlightError, InvalidInput

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    boto3 = None

MIB = 1 << 20
SMALLEST_PART = 5
"""MiB that the protocol demands of every part but the last."""

ATTEMPTS = 8
ARGUMENTS: dict[str, Any] = {
    "bucket": {"type": "str", "required": True},
    "prefix": {"type": "str", "default": ""},
    "region": {"type": "str"},
    "endpoint_url": {"type": "str"},
    "sse": {"type": "str", "choices": ["AES256", "aws:kms"], "default": "AES256"},
    "kms_key_id": {"type": "str"},
    "access_key": {"type": "str", "no_log": False},  # its name, not the secret
    "secret_key": {"type": "str", "no_log": True},
    "session_token": {"type": "str", "no_log": True},
    "part_size": {"type": "int", "default": 64},
}


class StoreFailed(GreenlightError):
    """The object store refused, did not answer, or holds something else than was sent."""


@dataclass(frozen=True)
class Place:
    """Where copies go and how they are encrypted; ``part`` is in bytes. boto3's own chain finds what is empty."""

    bucket: str
    prefix: str = ""
    region: str = ""
    endpoint: str = ""
    sse: str = "AES256"
    kms_key: str = ""
    part: int = 64 * MIB
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)

    @classmethod
    def of(cls, option: Mapping[str, Any]) -> Place:
        """The place that the option ``s3`` of a module names; :class:`InvalidInput` when a part is too small."""
        if option["part_size"] < SMALLEST_PART:
            raise InvalidInput("is too small", where="s3.part_size", expected=f"{SMALLEST_PART} or more MiB")
        return cls(
            bucket=option["bucket"],
            prefix=option["prefix"].strip("/"),
            region=option["region"] or "",
            endpoint=option["endpoint_url"] or "",
            sse=option["sse"],
            kms_key=option["kms_key_id"] or "",
            part=option["part_size"] * MIB,
            access_key=option["access_key"] or "",
            secret_key=option["secret_key"] or "",
            session_token=option["session_token"] or "",
        )

    @property
    def encryption(self) -> dict[str, str]:
        """The parameters by which the store encrypts an object."""
        key = {"SSEKMSKeyId": self.kms_key} if self.kms_key and self.sse == "aws:kms" else {}
        return {"ServerSideEncryption": self.sse, **key}


class Copies:
    """The copies of one database's backups, below ``prefix/app/<id>/<database>/``."""

    def __init__(self, place: Place, app: str, database: str) -> None:
        if boto3 is None:
            raise InvalidInput(
                "boto3 is not installed for the Python that Ansible uses here",
                where="boto3",
                do="install python3-boto3 on this host",
            )
        self.place = place
        self._app, self._database = app, database
        words = {
            "region_name": place.region,
            "endpoint_url": place.endpoint,
            "aws_access_key_id": place.access_key,
            "aws_secret_access_key": place.secret_key,
            "aws_session_token": place.session_token,
        }
        with self._explained():
            self._client = boto3.client(
                "s3",
                config=Config(retries={"mode": "standard", "max_attempts": ATTEMPTS}),
                **{word: value for word, value in words.items() if value},
            )

    def key(self, backup: str, name: str) -> str:
        """The key of a file of a backup."""
        parts = (self.place.prefix, self._app, require_id(backup), self._database)
        return "/".join([*filter(None, parts), name])

    def upload(self, folder: Path, manifest: Manifest) -> Manifest:
        """Copy a complete backup, the manifest last; the manifest with the place of the copy.

        What is there already is left as it is, a file that was broken off is taken up at the part where it was.
        """
        sent = replace(manifest, off_site=f"s3://{self.place.bucket}/{self.key(manifest.id, '')}")
        with self._explained():
            for name, file in manifest.files.items():
                if not self._holds(self.key(manifest.id, name), file):
                    self._send(folder / name, self.key(manifest.id, name), file)
                    self._require(self.key(manifest.id, name), file)
            text = manifests.dump(sent).encode()
            file = File(len(text), hashlib.sha256(text).hexdigest())
            self._put(self.key(manifest.id, manifests.NAME), text, file)
            self._require(self.key(manifest.id, manifests.NAME), file)
        return sent

    def all(self) -> list[Manifest]:
        """The manifests of all complete copies, oldest first."""
        with self._explained():
            found = [self._manifest(backup) for backup in self._ids()]
        return sorted((each for each in found if each), key=lambda each: each.taken)

    def download(self, manifest: Manifest, store: Backups) -> None:
        """Bring a copy back to this host, checked against its manifest, under the lock of ``store``."""
        partial = store.partial(manifest.id)
        tree.require_space(store.folder, sum(file.bytes for file in manifest.files.values()), "the backup")
        with tree.whole_or_gone(partial), self._explained():
            for name in manifest.files:
                (partial / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._client.download_file(self.place.bucket, self.key(manifest.id, name), str(partial / name))
                (partial / name).chmod(0o600)
            compare_files(manifest.files, files_of(partial), self.key(manifest.id, ""))
            store.publish(manifest)

    def prune(self, keep: Keep) -> tuple[str, ...]:
        """Remove the copies that are superfluous by the rules; their ids. The manifest goes first."""
        gone = superfluous([Taken(each.id, each.kind, each.taken) for each in self.all()], keep)
        with self._explained():
            for backup in gone:
                keys = [each["Key"] for each in self._list(self.key(backup, ""))]
                for key in sorted(keys, key=lambda each: not each.endswith(f"/{manifests.NAME}")):
                    self._client.delete_object(Bucket=self.place.bucket, Key=key)
        return gone

    def _manifest(self, backup: str) -> Manifest | None:
        key = self.key(backup, manifests.NAME)
        try:
            answer = self._client.get_object(Bucket=self.place.bucket, Key=key)
        except self._client.exceptions.NoSuchKey:
            return None
        with answer["Body"] as body:
            return manifests.load(body.read().decode(), f"s3://{self.place.bucket}/{key}")

    def _ids(self) -> list[str]:
        prefix = f"{self.place.prefix}/{self._app}/".lstrip("/")
        pager = self._client.get_paginator("list_objects_v2")
        pages = pager.paginate(Bucket=self.place.bucket, Prefix=prefix, Delimiter="/")
        return [each["Prefix"].split("/")[-2] for page in pages for each in page.get("CommonPrefixes", ())]

    def _list(self, prefix: str) -> Iterator[dict[str, Any]]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.place.bucket, Prefix=prefix):
            yield from page.get("Contents", ())

    def _holds(self, key: str, file: File) -> bool:
        """Whether the store has that very content, encrypted as is wanted, by its own word (HEAD)."""
        try:
            head = self._client.head_object(Bucket=self.place.bucket, Key=key, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return bool(
            head["ContentLength"] == file.bytes
            and head.get("Metadata", {}).get("sha256") == file.sha256
            and head.get("ServerSideEncryption") == self.place.sse
            and (file.bytes > self.place.part or head.get("ChecksumSHA256") in (None, of_hex(file.sha256)))
        )

    def _require(self, key: str, file: File) -> None:
        if not self._holds(key, file):
            raise StoreFailed(
                "the store holds something else than was sent",
                where=f"s3://{self.place.bucket}/{key}",
                expected=f"{file.bytes} bytes, SHA-256 {file.sha256}, encrypted with {self.place.sse}",
                do="run again; the local backup is intact",
            )

    def _send(self, path: Path, key: str, file: File) -> None:
        if file.bytes > self.place.part:
            self._send_in_parts(path, key, file)
        else:
            self._put(key, path.read_bytes(), file)

    def _put(self, key: str, content: bytes, file: File) -> None:
        self._client.put_object(
            Bucket=self.place.bucket,
            Key=key,
            Body=content,
            ChecksumSHA256=of_hex(file.sha256),
            Metadata={"sha256": file.sha256},
            **self.place.encryption,
        )

    def _send_in_parts(self, path: Path, key: str, file: File) -> None:
        """Send a large file; parts that an earlier run sent, with the same checksum, are not sent again."""
        where = {"Bucket": self.place.bucket, "Key": key}
        upload = (
            self._unfinished(key)
            or self._client.create_multipart_upload(
                **where, ChecksumAlgorithm="SHA256", Metadata={"sha256": file.sha256}, **self.place.encryption
            )["UploadId"]
        )
        pages = self._client.get_paginator("list_parts").paginate(**where, UploadId=upload)
        there = {part["PartNumber"]: part for page in pages for part in page.get("Parts", ())}
        parts = []
        with path.open("rb") as handle:
            for number, content in enumerate(iter(lambda: handle.read(self.place.part), b""), start=1):
                checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
                part = there.get(number)
                if not part or not arrived(part, content, checksum):
                    part = self._client.upload_part(
                        **where, UploadId=upload, PartNumber=number, Body=content, ChecksumSHA256=checksum
                    )
                parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": checksum})
        self._client.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})

    def _unfinished(self, key: str) -> str:
        """The newest upload of that key that was broken off, empty where there is none."""
        pages = self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self.place.bucket, Prefix=key)
        found = [each for page in pages for each in page.get("Uploads", ()) if each["Key"] == key]
        return str(max(found, key=lambda each: each["Initiated"])["UploadId"]) if found else ""

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What boto3 raises becomes :class:`StoreFailed`, without our credentials."""
        secrets = (self.place.secret_key, self.place.session_token)
        try:
            yield
        except (BotoCoreError, ClientError, boto3.exceptions.Boto3Error) as error:
            raise StoreFailed(
                redact(str(error), secrets),
                where=f"s3://{self.place.bucket}",
                do="what was sent so far is taken up again by the next run",
            ) from None


def arrived(part: Mapping[str, Any], content: bytes, checksum: str) -> bool:
    """Whether a part that the store lists has that ``content``: by its SHA-256, else by the MD5 that is its ETag.

    Where the ETag is something else, as under KMS, the answer is no and the part is sent again.
    """
    if part["Size"] != len(content):
        return False
    if part.get("ChecksumSHA256"):
        return bool(part["ChecksumSHA256"] == checksum)
    return bool(part["ETag"].strip('"') == hashlib.md5(content, usedforsecurity=False).hexdigest())


def copies_of(option: Mapping[str, Any] | None, app: str, database: str) -> Copies | None:
    """The copies that the option ``s3`` of a module names, None without it."""
    return Copies(Place.of(option), app, database) if option else None


def of_hex(digest: str) -> str:
    """A hexadecimal digest as the store has it, in base64."""
    return base64.b64encode(bytes.fromhex(digest)).decode()
