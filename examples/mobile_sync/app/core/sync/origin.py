"""Which pages may open a WebSocket."""

from urllib.parse import urlsplit


def is_welcome(headers: dict[bytes, bytes], allowed: list[str]) -> bool:
    """True for a client that is no browser (sends no Origin), a page of this host, or an allowed origin."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    return not origin or origin in allowed or urlsplit(origin).netloc == host
