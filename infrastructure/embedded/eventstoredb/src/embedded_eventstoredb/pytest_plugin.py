"""For pytest: an empty EventStoreDB for every test that asks for one.

In a ``conftest.py``: ``pytest_plugins = ["embedded_eventstoredb.pytest_plugin"]``.
"""

from collections.abc import Iterator

import pytest

from embedded_eventstoredb.pool import NodePool


@pytest.fixture(scope="session")
def eventstoredb_pool() -> Iterator[NodePool]:
    """Where the nodes come from: one process for all tests."""
    with NodePool() as pool:
        yield pool


@pytest.fixture
def eventstoredb_uri(eventstoredb_pool: NodePool) -> Iterator[str]:
    """The connection string of an empty node in memory, for this test alone."""
    with eventstoredb_pool.node() as uri:
        yield uri
