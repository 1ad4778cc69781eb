# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate and its key, tried out: one TLS handshake in memory, as a client of each name would make it."""

from __future__ import annotations

import re
import ssl
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.greenlight.deploy.plugins.module_utils.errors import InvalidInput

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
_DAY = 86400


@dataclass(frozen=True)
class Certificate:
    """``not_after`` in the words of the certificate, ``days_left`` from the given time (negative: expired)."""

    not_after: str
    days_left: int


def trusting(pem: str) -> ssl.SSLContext:
    """A client's context that accepts exactly the first certificate in ``pem``, whoever signed it."""
    match = _PEM.search(pem)
    if match is None:
        raise ssl.SSLError("there is no certificate in the file")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=match[0])
    return context


def check_pair(certificate: str, key: str, names: Iterable[str], now: float, least_days: int = 7) -> Certificate:
    """Refuse a pair of PEM texts that clients of these names would not accept, or not for ``least_days`` more."""
    server = _server_context(certificate, key)
    client = _client_context(certificate)
    seen: Mapping[str, object] = {}
    for name in names:
        seen = _handshake(server, client, name)
    not_after = str(seen["notAfter"])
    days = int((ssl.cert_time_to_seconds(not_after) - now) // _DAY)
    if days < least_days:
        raise InvalidInput(
            f"the certificate ends on {not_after}, in {days} days",
            where="certificate",
            expected=f"at least {least_days} days",
            do="renew the certificate, or lower certificate_days",
        )
    return Certificate(not_after, days)


def _client_context(certificate: str) -> ssl.SSLContext:
    try:
        return trusting(certificate)
    except ssl.SSLError as error:
        raise InvalidInput(
            f"the certificate cannot be read ({_reason(error)})", where="certificate", expected="a chain in PEM"
        ) from None


def _server_context(certificate: str, key: str) -> ssl.SSLContext:
    _client_context(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="greenlight-") as folder:
        paths = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        for path, pem in zip(paths, (certificate, key), strict=True):
            path.touch(mode=0o600)
            path.write_text(pem, encoding="utf-8")
        try:
            context.load_cert_chain(*paths, password=lambda: "")
        except ssl.SSLError as error:
            raise _bad_pair(error) from None
    return context


def _bad_pair(error: ssl.SSLError) -> InvalidInput:
    if error.reason == "KEY_VALUES_MISMATCH":
        return InvalidInput(
            "the key does not belong to the certificate",
            where="key",
            expected="the private key of the first certificate in the file",
            do="give the pair that belongs together; the server's certificate comes first in its file",
        )
    return InvalidInput(
        f"certificate and key cannot be used together ({_reason(error)})",
        where="key",
        expected="a private key in PEM without a passphrase, and a chain in PEM",
    )


def _handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> Mapping[str, object]:
    """What a client that asks for ``name`` sees of the certificate."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    asking = client.wrap_bio(to_client, to_server, server_hostname=name.replace("*", "greenlight"))
    try:
        for end in (asking, answering, asking, answering):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    except ssl.SSLCertVerificationError as error:
        raise _not_accepted(name, error) from None
    except ssl.SSLError as error:
        raise InvalidInput(f"no client could use the certificate ({_reason(error)})", where="certificate") from None
    return asking.getpeercert() or {}


def _not_accepted(name: str, error: ssl.SSLCertVerificationError) -> InvalidInput:
    return InvalidInput(
        f"a client that asks for {name} would not accept the certificate ({error.verify_message.rstrip('.')})",
        where="certificate",
        expected=f"a valid certificate whose subject alternative names cover {name}",
        do="get a certificate for all names in domain and aliases",
    )


def _reason(error: ssl.SSLError) -> str:
    return str(getattr(error, "reason", None) or error).replace("_", " ").lower()
