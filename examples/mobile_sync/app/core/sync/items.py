"""Items as devices send them, checked."""

import re
from dataclasses import dataclass, field
from typing import Any, Self

NAME = re.compile(r"[A-Za-z0-9._:-]{1,128}")
DOMAIN = re.compile(r"[a-z][a-z0-9_]{0,63}")
ENTITY = re.compile(r"[A-Za-z0-9._:/-]{1,128}")
LARGEST_MESSAGE = 65_536
LARGEST_VERSION = 2**63 - 1


class InvalidItem(ValueError):
    """What a device sent cannot be taken; says why. Sending it again will not help."""


def _checked(pattern: re.Pattern[str], name: str, value: Any) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise InvalidItem(f"{name} is {str(value)[:40]!r}: expected a string like {pattern.pattern}")
    return value


@dataclass(frozen=True, slots=True)
class Item:
    """One change on a device. With `entity` and `version` it may conflict with another device's change."""

    tenant_id: int
    device_id: str
    item_id: str
    domain: str
    payload: dict[str, Any]
    entity: str | None = None
    version: int | None = None

    @property
    def key(self) -> tuple[int, str]:
        """What makes it the same item when it comes again."""
        return self.tenant_id, self.item_id

    @classmethod
    def parse(cls, message: dict[str, Any], tenant_id: int, device_id: str) -> Self:
        """The item in a message {"id", "domain", "payload"[, "entity", "version"]}; InvalidItem says what is wrong."""
        payload, entity, version = message.get("payload", {}), message.get("entity"), message.get("version")
        if not isinstance(payload, dict):
            raise InvalidItem("payload is not an object")
        if (entity is None) != (version is None):
            raise InvalidItem("entity and version belong together: give both or neither")
        if entity is not None:
            _checked(ENTITY, "entity", entity)
            if type(version) is not int or not 0 <= version <= LARGEST_VERSION:
                raise InvalidItem("version is not a whole number from 0 on")
        return cls(
            tenant_id,
            device_id,
            _checked(NAME, "id", message.get("id")),
            _checked(DOMAIN, "domain", message.get("domain")),
            payload,
            entity,
            version,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item that is stored: whether it was there before, and what its effects reported."""

    duplicate: bool
    effects: dict[str, Any] = field(default_factory=dict)

    def answer(self) -> dict[str, Any]:
        """The part of an acknowledgement that depends on the outcome."""
        return {"duplicate": self.duplicate, **self.effects}
