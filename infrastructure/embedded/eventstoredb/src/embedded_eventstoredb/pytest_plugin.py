"""Fixtures for pytest, which finds them by itself: an empty EventStoreDB for each test that uses
one.
"""

from collections.abc import Iterator

import pytest

from embedded_eventstoredb.pool import NodePool


@pytest.fixture(scope="session")
def eventstoredb_pool() -> Iterator[NodePool]:
    """The source of the nodes: one process for all tests."""
    with NodePool() as pool:
        yield pool


@pytest.fixture
def eventstoredb_uri(eventstoredb_pool: NodePool) -> Iterator[str]:
    """The connection string of an empty node in memory, for this test alone."""
    with eventstoredb_pool.node() as uri:
        yield uri
