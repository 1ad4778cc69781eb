# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies of backups in an object store that speaks HTTP, fails at times, and is asked afterwards."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from moto import server as moto_server

from ansible_collections.greenlight.deploy.plugins.module_utils.database import s3
from ansible_collections.greenlight.deploy.plugins.modules import pg_backup, pg_restore

BACKUP, BUCKET, SECRET = "20261122T124500Z-1a2b3c4", "backups", "canary-of-the-access-key"
PREFIX = f"production/shop/{BACKUP}"


class Front(BaseHTTPRequestHandler):
    """Hands requests to the store behind it, unless the server's ``refuse`` says that they fail with 500."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(f"{self.command} {self.path}")
        if self.server.refuse(f"{self.command} {self.path}"):
            return self.reply(500, {}, b"")
        behind = http.client.HTTPConnection("127.0.0.1", self.server.behind)
        behind.request(self.command, self.path, body, dict(self.headers))
        answer = behind.getresponse()
        content = answer.read()
        behind.close()
        return self.reply(answer.status, dict(answer.getheaders()), content)

    def reply(self, status, headers, content):
        self.send_response(status)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        for name, value in headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_words):
        """Say nothing."""


for method in ("GET", "PUT", "POST", "DELETE", "HEAD"):
    setattr(Front, f"do_{method}", Front.answer)


@pytest.fixture
def store(monkeypatch):
    """An empty bucket; ``store.front`` may refuse, ``store.client`` asks the store itself."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setattr(s3, "ATTEMPTS", 3)
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    front = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    front.behind, front.seen, front.refuse = server.get_host_and_port()[1], [], lambda _request: False
    thread = threading.Thread(target=front.serve_forever)
    thread.start()
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{front.behind}", region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    front.client = client
    yield front
    for key in names(front):
        client.delete_object(Bucket=BUCKET, Key=key)
    client.close()
    front.shutdown()
    thread.join()
    front.server_close()
    server.stop()


def names(store):
    """The keys of all objects, asked of the store itself."""
    return {each["Key"] for each in store.client.list_objects_v2(Bucket=BUCKET).get("Contents", ())}


@pytest.fixture
def arguments(cluster, database, login, store, tmp_path):
    cluster.sql(database, "CREATE TABLE orders AS SELECT n, md5(n::text) AS note FROM generate_series(1, 1000) n")
    options = {
        "bucket": BUCKET, "prefix": "production", "endpoint_url": f"http://127.0.0.1:{store.server_port}",
        "region": "us-east-1", "access_key": "test", "secret_key": SECRET,
    }  # fmt: skip
    wanted = {"database": database, "app": "shop", "deployment": BACKUP, "place": str(tmp_path / "backups")}
    return {**login, **wanted, "s3": options}


def test_every_file_is_there_encrypted_and_what_it_was(run_module, arguments, store, database):
    result = run_module(pg_backup, arguments)
    assert not result["failed"], result
    assert result["backup"]["off_site"] == f"s3://{BUCKET}/{PREFIX}/{database}/"
    here = {str(path.relative_to(result["path"])): path for path in Path(result["path"]).rglob("*") if path.is_file()}
    assert names(store) == {f"{PREFIX}/{database}/{name}" for name in here}
    for name, path in here.items():
        answer = store.client.get_object(Bucket=BUCKET, Key=f"{PREFIX}/{database}/{name}")
        assert (answer["Body"].read(), answer["ServerSideEncryption"]) == (path.read_bytes(), "AES256")
    assert SECRET not in json.dumps(result)
    again = run_module(pg_backup, arguments)
    assert (again["changed"], again["backup"]) == (False, result["backup"])


def test_a_store_that_answers_500_and_then_works_is_asked_again(run_module, arguments, store):
    refused = iter([True, True, False] * 3)
    store.refuse = lambda request: request.startswith("PUT") and next(refused, False)
    assert not run_module(pg_backup, arguments)["failed"]
    assert sum(request.startswith("PUT") for request in store.seen) > len(names(store))


def test_a_store_that_fails_leaves_the_backup_and_the_next_run_copies_it(run_module, arguments, store):
    store.refuse = lambda _request: True
    failed = run_module(pg_backup, arguments)
    assert failed["failed"]
    assert "taken up again" in failed["error"]["do"]
    assert SECRET not in json.dumps(failed)
    store.refuse = lambda _request: False
    result = run_module(pg_backup, arguments)
    assert (result["failed"], result["changed"]) == (False, True)
    assert f"{PREFIX}/{arguments['database']}/manifest.json" in names(store)


def test_a_large_file_goes_in_parts_and_goes_on_where_it_broke_off(run_module, arguments, store, cluster, database):
    cluster.sql(database, "CREATE TABLE large AS SELECT gen_random_uuid() AS u FROM generate_series(1, 1000000) n")
    arguments["s3"]["part_size"] = 5
    store.refuse = lambda request: "partNumber=3" in request
    assert run_module(pg_backup, arguments)["failed"]
    store.seen.clear()
    store.refuse = lambda _request: False
    result = run_module(pg_backup, arguments)
    assert not result["failed"], result
    parts = [request.split("partNumber=")[1].split("&")[0] for request in store.seen if "partNumber=" in request]
    assert parts[0] == "3"
    assert not {"1", "2"} & set(parts)
    largest = max(Path(result["path"], "dump").glob("*.gz"), key=lambda path: path.stat().st_size)
    answer = store.client.get_object(Bucket=BUCKET, Key=f"{PREFIX}/{database}/dump/{largest.name}")
    assert answer["Body"].read() == largest.read_bytes()
    assert store.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


def test_a_copy_that_is_not_what_was_sent_is_an_error(run_module, arguments, store, database, monkeypatch):
    real = s3.Copies._put

    def wrong(self, key, content, file):
        real(self, key, content, file)
        if key.endswith("globals.sql"):
            store.client.put_object(Bucket=BUCKET, Key=key, Body=b"other", ServerSideEncryption="AES256")

    monkeypatch.setattr(s3.Copies, "_put", wrong)
    result = run_module(pg_backup, arguments)
    assert result["error"]["what"] == "the store holds something else than was sent"
    assert f"{PREFIX}/{database}/manifest.json" not in names(store)


def test_a_lost_host_restores_from_the_copy(run_module, arguments, store, cluster, database):
    taken = run_module(pg_backup, arguments)
    shutil.rmtree(arguments["place"])
    cluster.sql(database, "DROP TABLE orders")
    options = {name: value for name, value in arguments.items() if name != "deployment"}
    checked = run_module(pg_restore, options, check=True)
    assert checked["loss"]["tables"] == [{"name": '"public"."orders"', "now": None, "backup": 1000}]
    assert not Path(arguments["place"]).exists()
    result = run_module(pg_restore, {**options, "confirm": database})
    assert not result["failed"], result
    assert cluster.sql(database, "SELECT count(*) FROM orders") == [(1000,)]
    assert Path(taken["path"], "manifest.json").is_file()


def test_a_copy_that_was_changed_is_not_restored(run_module, arguments, store, cluster, database):
    run_module(pg_backup, arguments)
    shutil.rmtree(arguments["place"])
    store.client.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{database}/globals.sql", Body=b"DROP ROLE admin;")
    options = {name: value for name, value in arguments.items() if name != "deployment"}
    result = run_module(pg_restore, {**options, "confirm": database})
    assert "globals.sql" in result["error"]["what"]
    assert not [path for path in Path(arguments["place"]).rglob("*") if path.name != ".lock" and path.is_file()]


def test_old_copies_go_by_the_same_rules(run_module, arguments, store):
    for number in range(3):
        run_module(pg_backup, {**arguments, "deployment": f"D{number}", "keep_deploy": 2})
    assert {key.split("/")[2] for key in names(store)} == {"D1", "D2"}


def test_a_bucket_that_does_not_exist_is_said(run_module, arguments):
    arguments["s3"]["bucket"] = "nowhere"
    result = run_module(pg_backup, arguments)
    assert "bucket does not exist" in result["error"]["what"] or "Not Found" in result["error"]["what"]
    assert result["error"]["where"] == "s3://nowhere"
