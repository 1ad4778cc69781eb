"""Client classes: the share of clients that a proxy moves together."""

import re

CLASS = re.compile(r"c[0-9]{2}")
UNCLASSED = "none"


def of(headers: dict[bytes, bytes]) -> str:
    """The class a proxy gave to a connection: c00 to c99, else `none`."""
    value = headers.get(b"x-greenlight-class", b"").decode("latin-1")
    return value if CLASS.fullmatch(value) else UNCLASSED
