# Copyright: Greenlight contributors

# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a TCP, TLS or unix connection to an endpoint, and saying in plain words why that failed."""

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from ansible_collections.greenlight.deploy.plugins.module_utils.health.answers import ProbeError
from ansible_collections.greenlight.deploy.plugins.module_utils.health.endpoint import Endpoint

ProtocolT = TypeVar("ProtocolT", bound=asyncio.Protocol)
ResultT = TypeVar("ResultT")


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's when it is installed."""
    try:
        maker = importlib.import_module("uvloop")
    except ImportError:
        maker = asyncio
    loop: asyncio.AbstractEventLoop = maker.new_event_loop()
    return loop


async def _cancel_others() -> None:
    """End every task but this one."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def run_async(main: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a coroutine to its end on a loop of its own leaving no task behind."""
    loop = _new_event_loop()
    try:
        return loop.run_until_complete(main)
    finally:
        loop.run_until_complete(_cancel_others())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@functools.lru_cache(maxsize=16)
def _tls_context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file or None)
    context.set_alpn_protocols(["http/1.1"])
    # A server's own certificate may be named as what to trust, without the authority that signed it.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def tls_context(ca_file: str) -> ssl.SSLContext:
    """A verifying client context; read once per file. Raises ProbeError (``tls``) for a file of no use."""
    try:
        return _tls_context(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ProbeError("tls", f"CA file cannot be used: {reason(error)}", where=ca_file) from error


def reason(error: BaseException) -> str:
    """What went wrong, in the words of the system rather than of Python."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}".replace("_", " ").lower()
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return os.strerror(error.errno).lower()
    return str(error).lower() or type(error).__name__


async def open_connection(endpoint: Endpoint, make: Callable[[], ProtocolT], timeout: float) -> ProtocolT:
    """Connect, shake hands if TLS is wanted, return the protocol. Raises ProbeError (connect, tls, timeout)."""
    try:
        return await asyncio.wait_for(_open(endpoint, make), timeout)
    except asyncio.TimeoutError as error:
        raise ProbeError("timeout", f"no connection within {timeout:.1f} s") from error
    except ssl.SSLError as error:
        raise ProbeError("tls", reason(error)) from error
    except ConnectionResetError as error:
        kind = "tls" if endpoint.tls else "connect"
        raise ProbeError(kind, f"closed while connecting: {reason(error)}") from error
    except OSError as error:
        raise ProbeError("connect", reason(error)) from error


async def _open(endpoint: Endpoint, make: Callable[[], ProtocolT]) -> ProtocolT:
    loop = asyncio.get_running_loop()
    context = tls_context(endpoint.ca_file) if endpoint.tls else None
    name = endpoint.name if endpoint.tls else None
    if endpoint.is_unix:
        _transport, protocol = await loop.create_unix_connection(
            make, endpoint.address, ssl=context, server_hostname=name
        )
    else:
        _transport, protocol = await loop.create_connection(
            make, endpoint.address, endpoint.port, ssl=context, server_hostname=name
        )
    return protocol
