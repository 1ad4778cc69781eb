"""Settings from environment variables, each refused with a sentence that says what to do."""

import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SECRET_KEY_LENGTH = 50


def required(name: str) -> str:
    """The variable's value; ImproperlyConfigured if it is missing or empty."""
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"environment variable {name} is not set: give it to the service (see README.md)")
    return value


def words(value: str) -> list[str]:
    """The parts of a comma separated list, without blanks."""
    return [part.strip() for part in value.split(",") if part.strip()]


def number(name: str, default: int) -> int:
    """A whole number, `default` if the variable is missing or empty."""
    value = os.environ.get(name) or str(default)
    if not value.isdecimal():
        raise ImproperlyConfigured(f"environment variable {name} is {value!r}: expected a whole number")
    return int(value)


def secret_key(name: str) -> str:
    """A secret key long enough for `check --deploy`."""
    value = required(name)
    if len(value) < SECRET_KEY_LENGTH:
        raise ImproperlyConfigured(
            f"environment variable {name} has {len(value)} characters: expected {SECRET_KEY_LENGTH} random ones or more"
        )
    return value


def database(name: str, pool_size: int) -> dict[str, Any]:
    """Django's description of the database at a postgresql:// URL, whose query becomes connection options."""
    url = urlsplit(required(name))
    if url.scheme not in ("postgresql", "postgres") or not url.path.strip("/"):
        raise ImproperlyConfigured(
            f"environment variable {name} does not name a database: expected postgresql://user:password@host:5432/name"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.strip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(url.hostname or ""),
        "PORT": str(url.port or ""),
        # ASGI serves one request on many threads: connections come from a pool and are kept by nobody.
        "CONN_MAX_AGE": 0,
        # After a restart of the database, the pool replaces its connections before they are used.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            **dict(parse_qsl(url.query)),
            "pool": {"min_size": 1, "max_size": pool_size, "timeout": 5},
        },
    }
