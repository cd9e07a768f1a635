"""Where a test gets a server from."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from tests.servers.containers import contained, no_docker
from tests.servers.kept import kept
from tests.servers.server import NotHere, Server
from tests.servers.starting import started


@contextmanager
def available(server: Server) -> Iterator[str]:
    """The address of a server, for as long as the context lasts.

    The first of these: the one that the environment names, one that ``make servers`` keeps running,
    one that is started here, one in a container. Without any, the test is skipped, with the
    reason; where ``REQUIRE_SERVERS`` is set, it fails.
    """
    if given := os.environ.get(server.variable):
        yield given
        return
    if address := kept(server):
        yield address
        return
    with _new(server) as address:
        yield address


@contextmanager
def _new(server: Server) -> Iterator[str]:
    try:
        server.require()
    except NotHere as missing:
        if no_docker():
            _without(server, str(missing))
        with contained(server) as address:
            yield address
        return
    with started(server) as running:
        yield running.address


def require_here(server: Server) -> None:
    """For a test that ends a server of its own: as :func:`available`, if none can be started."""
    try:
        server.require()
    except NotHere as missing:
        _without(server, str(missing))


def _without(server: Server, reason: str) -> NoReturn:
    if os.environ.get("REQUIRE_SERVERS"):
        pytest.fail(f"REQUIRE_SERVERS is set, and {server.name} {reason}", pytrace=False)
    pytest.skip(f"{server.name} {reason}")
