"""Client classes: the share of clients that a proxy moves together, and the groups to tell them so."""

import re

CLASS = re.compile(r"c[0-9]{2}")
UNCLASSED = "none"
NUMBERED = [f"c{number:02d}" for number in range(100)]
PART = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?")


def of(headers: dict[bytes, bytes]) -> str:
    """The class a proxy gave to a connection: c00 to c99, else `none`."""
    value = headers.get(b"x-greenlight-class", b"").decode("latin-1")
    return value if CLASS.fullmatch(value) else UNCLASSED


def group(colour: str, name: str) -> str:
    """The channel-layer group of a colour's sockets of a class."""
    return f"deploy.{colour}.{name}"


def parse(text: str) -> list[str]:
    """Classes in a list such as `0-9,15`, `none`, `all`; ValueError says which part cannot be read."""
    found: set[str] = set()
    for part in text.split(","):
        match = PART.fullmatch(part)
        if part == "all":
            found.update(NUMBERED, [UNCLASSED])
        elif part == UNCLASSED:
            found.add(UNCLASSED)
        elif match and int(match[1]) <= int(match[2] or match[1]):
            found.update(NUMBERED[int(match[1]) : int(match[2] or match[1]) + 1])
        else:
            raise ValueError(f"{part!r} is no class: expected a number 0 to 99, a range such as 0-9, none or all")
    return sorted(found)
