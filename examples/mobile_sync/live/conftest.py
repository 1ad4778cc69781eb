"""All versions of the application, run by Daphne against a PostgreSQL and a Redis of their own on loopback.

MOBILE_SYNC_PYTHON names an interpreter that has app/requirements.lock installed; without it, this one is taken.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator

import pytest

from world import CONTROL_TOKEN, EXAMPLE, PYTHON, Instance, Postgres, Release, Server, free_port, lay_out

PASSWORD = "p@ss/word"  # its characters must survive the URL


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres.create()
    server.start()
    yield server
    server.stop(signal.SIGINT)
    shutil.rmtree(server.top)


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    settings = {"port": str(port), "bind": "127.0.0.1", "requirepass": PASSWORD, "save": "", "dir": str(folder)}
    server = Server(
        ["redis-server", *(word for name, value in settings.items() for word in (f"--{name}", value))], port
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def releases(postgres: Postgres, redis: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Release]:
    """Every version by its tag; they share one empty database."""
    assert not postgres.query("CREATE DATABASE mobile_sync").returncode
    environment = {
        "DATABASE_URL": f"postgresql://admin@127.0.0.1:{postgres.port}/mobile_sync",
        "REDIS_URL": f"redis://:p%40ss%2Fword@127.0.0.1:{redis.port}/0",
        "DJANGO_SECRET_KEY": "for these tests only, and long enough to be taken by the check",
        "DJANGO_ALLOWED_HOSTS": "127.0.0.1",
    }
    made = {}
    for version in json.loads((EXAMPLE / "versions.json").read_text()):
        tag = version["tag"]
        made[tag] = Release(tmp_path_factory.mktemp("release") / tag, tag, {**environment, "GREENLIGHT_VERSION": tag})
        lay_out(version, made[tag].folder)
        assert not made[tag].manage("collectstatic", "--noinput").returncode
    return made


@pytest.fixture
def start() -> Iterator[Callable[[Release, str], Instance]]:
    """Starts a release as a colour; all that were started are stopped at the end of the test."""
    started: list[Instance] = []

    def run(release: Release, colour: str) -> Instance:
        port = free_port()
        own = {
            "GREENLIGHT_COLOUR": colour,
            "GREENLIGHT_RELEASE": f"release-{colour}",
            "GREENLIGHT_CONTROL_TOKEN": CONTROL_TOKEN,
            "PGAPPNAME": f"test-{colour}",
        }
        daphne = [PYTHON, "-m", "daphne", "--no-server-name", "-v0", "-e", f"tcp:port={port}:interface=127.0.0.1"]
        instance = Instance(
            [*daphne, "mobile_sync.asgi:application"],
            port,
            {**release.environment, **own},
            release.folder,
            colour=colour,
        )
        instance.start()
        started.append(instance)
        return instance

    yield run
    for instance in started:
        instance.stop()
