# Copyright: Greenlight contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess

import pytest

from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint
from ansible_collections.greenlight.deploy.plugins.module_utils.health.http_client import (
    HttpConnection,
    ask,
    probe_http,
    probe_many,
)
from ansible_collections.greenlight.deploy.plugins.module_utils.health.transport import run_async
from ansible_collections.greenlight.deploy.tests.unit.plugins.module_utils.health.server import (
    answer,
    read_request,
    serving,
)


def against(talk, use, **endpoint):
    """Run ``use(endpoint)`` against a server that talks so."""

    async def main():
        async with serving(talk, **endpoint) as where:
            return await use(where)

    return run_async(main())


async def echo_forever(reader, writer):
    while True:
        first, headers, body = await read_request(reader)
        writer.write(
            answer(f"{first} {headers['host']} {body.decode()}".encode(), X_Seen=headers.get("x-device-id", ""))
        )


def test_the_name_asked_for_is_not_the_address():
    result = against(echo_forever, lambda where: ask(where, "/x"), server_name="sync.test")
    assert result.ok
    assert result.body.decode().startswith("GET /x HTTP/1.1 sync.test ")


def test_headers_of_the_endpoint_and_of_the_request_are_sent():
    result = against(
        echo_forever, lambda where: ask(where, "/x", method="POST", body=b"hi"), headers=(("X-Device-Id", "d1"),)
    )
    assert result.header("X-Seen") == "d1"
    assert result.body.endswith(b" hi")


def test_a_connection_is_kept_between_requests():
    made = []

    async def talk(reader, writer):
        made.append(1)
        await echo_forever(reader, writer)

    async def use(where):
        connection = HttpConnection(where)
        statuses = [(await connection.request("GET", "/")).status for _turn in range(3)]
        connection.close()
        return statuses

    assert against(talk, use) == [200, 200, 200]
    assert len(made) == 1


def test_a_connection_already_seen_closed_is_not_used_again():
    made = []
    closed = asyncio.Event()

    async def talk(reader, writer):
        made.append(1)
        await read_request(reader)
        writer.write(answer())
        writer.close()
        await writer.wait_closed()
        closed.set()

    async def use(where):
        connection = HttpConnection(where)
        first = await connection.request("GET", "/")
        await asyncio.wait_for(closed.wait(), 5)
        for _turn in range(20):
            await asyncio.sleep(0)
        second = await connection.request("GET", "/")
        connection.close()
        return first.status, second.status

    assert against(talk, use) == (200, 200)
    assert len(made) == 2


def test_a_connection_closed_under_a_request_is_a_failure_and_no_second_try():
    asked = []

    async def talk(reader, writer):
        await read_request(reader)
        writer.write(answer())
        asked.append(await read_request(reader))

    async def use(where):
        connection = HttpConnection(where)
        await connection.request("GET", "/")
        return await connection.request("POST", "/items", body=b"x")

    result = against(talk, use)
    assert (result.status, result.kind, result.error) == (0, "closed", "connection closed without an answer")
    assert len(asked) == 1


def test_an_answer_cut_in_its_middle_is_a_failure_with_its_status():
    async def talk(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")

    result = against(talk, ask)
    assert (result.ok, result.kind, result.status) == (False, "closed", 200)
    assert "middle" in result.error


def test_a_redirect_is_an_answer():
    async def talk(reader, writer):
        await read_request(reader)
        writer.write(answer(status="301 Moved Permanently", Location="https://elsewhere/"))

    result = against(talk, ask)
    assert (result.status, result.ok, result.header("location")) == (301, False, "https://elsewhere/")


@pytest.mark.parametrize(("sent", "error"), [(b"", "no answer"), (b"HTTP/1.1 200 OK\r\n", "answer not complete")])
def test_the_time_limit_holds_for_the_whole_answer(sent, error):
    async def talk(reader, writer):
        await read_request(reader)
        writer.write(sent)
        await reader.read()

    result = against(talk, lambda where: ask(where, timeout=0.05))
    assert (result.kind, result.status) == ("timeout", 0)
    assert result.error == f"{error} within 0.1 s"


def test_a_body_over_the_limit_keeps_its_status_and_first_bytes():
    async def talk(reader, writer):
        await read_request(reader)
        writer.write(answer(b"x" * 50))

    result = against(talk, lambda where: ask(where, body_limit=10))
    assert (result.status, result.kind, result.ok) == (200, "too_large", False)


def test_bytes_that_nobody_asked_for_end_the_connection():
    async def talk(reader, writer):
        await read_request(reader)
        writer.write(answer() + b"HTTP/1.1 408 Request Time-out\r\n\r\n")
        await reader.read()

    async def use(where):
        connection = HttpConnection(where)
        result = await connection.request("GET", "/")
        return result.status, connection._wire.usable

    assert against(talk, use) == (200, False)


def test_nobody_listening_is_said_in_plain_words():
    async def port_of_nobody():
        server = await asyncio.start_server(echo_forever, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        return port

    result = probe_http(Endpoint("127.0.0.1", run_async(port_of_nobody())), "/health")
    assert (result.status, result.kind, result.describe()) == (0, "connect", "connection refused")


def test_many_are_asked_side_by_side_in_order(tmp_path):
    missing = Endpoint(str(tmp_path / "no.sock"), 0)
    first, second = probe_many([(missing, "/a"), (missing, "/b")])
    assert {first.kind, second.kind} == {"connect"}
    assert first.error == "no such file or directory"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for sync.test that is its own authority, as (pem file, key file)."""
    if not shutil.which("openssl"):
        pytest.fail("openssl is needed: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    pem, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=sync.test", "-addext", "subjectAltName=DNS:sync.test", "-keyout", str(key), "-out", str(pem)],
        check=True, capture_output=True,
    )  # fmt: skip
    return pem, key


@pytest.fixture(scope="module")
def signed(certificate, tmp_path_factory):
    """A certificate for sync.test that ``certificate`` has signed, as (pem file, key file)."""
    folder = tmp_path_factory.mktemp("signed")
    pem, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=signed", "-addext", "subjectAltName=DNS:sync.test", "-keyout", str(key), "-out", str(pem),
         "-CA", str(certificate[0]), "-CAkey", str(certificate[1]), "-addext", "basicConstraints=critical,CA:FALSE"],
        check=True, capture_output=True,
    )  # fmt: skip
    return pem, key


def tls_server(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def test_a_servers_own_certificate_can_be_trusted_without_its_authority(signed):
    result = against(echo_forever, ask, ssl=tls_server(signed), server_name="sync.test", ca_file=str(signed[0]))
    assert result.ok, result.error


def test_tls_is_verified_for_the_name_asked_for(certificate):
    result = against(
        echo_forever, ask, ssl=tls_server(certificate), server_name="sync.test", ca_file=str(certificate[0])
    )
    assert result.ok, result.error


@pytest.mark.parametrize(
    ("name", "trusted", "error"),
    [("other.test", True, "hostname mismatch"), ("sync.test", False, "certificate")],
)
def test_a_wrong_name_or_an_unknown_authority_is_refused(certificate, name, trusted, error):
    ca_file = str(certificate[0]) if trusted else ""
    result = against(echo_forever, ask, ssl=tls_server(certificate), server_name=name, ca_file=ca_file)
    assert (result.kind, result.status) == ("tls", 0)
    assert error in result.error.lower()


def test_a_missing_file_of_authorities_is_said():
    result = probe_http(Endpoint("127.0.0.1", 1, tls=True, ca_file="/nowhere/ca.pem"))
    assert result.kind == "tls"
    assert "CA file" in result.error
