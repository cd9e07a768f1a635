"""Clients of the development server, and of the server that skips time."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from temporalio.client import Client

from tests.infrastructure.temporal.skipping import connected, time_skipping_server


@pytest.fixture(scope="session")
def temporal_skipping() -> Iterator[str]:
    """The address of a server that skips time, one for all tests: a double of the real one."""
    with time_skipping_server() as address:
        yield address


@pytest.fixture
async def skipping(temporal_skipping: str) -> Client:
    """A client of the server that skips time, in a namespace of its own."""
    return await connected(temporal_skipping, namespace=f"test-{uuid4()}")


@pytest.fixture
async def client(temporal: str) -> Client:
    """A client of the development server: use fresh ids."""
    return await connected(temporal)
