"""Nodes for tests: what any user of the pytest plugin gets."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from esdbclient import EventStoreDBClient, NewEvent, StreamState

from embedded_eventstoredb import NodeFailed, NodePool

ANY = StreamState.ANY

USERS_TEST = """
import esdbclient

NO_STREAM = esdbclient.StreamState.NO_STREAM
pytest_plugins = ["embedded_eventstoredb.pytest_plugin"]


def test_one(eventstoredb_uri):
    with esdbclient.EventStoreDBClient(eventstoredb_uri) as client:
        client.append_event("a", current_version=NO_STREAM, event=esdbclient.NewEvent("E", b""))


test_two = test_one
"""


def test_isolated(eventstoredb_pool: NodePool) -> None:
    """Two nodes at a time share nothing, and one that follows is empty again."""
    for _ in range(2):
        with eventstoredb_pool.node() as one, eventstoredb_pool.node() as two:
            with EventStoreDBClient(one) as client:
                event = NewEvent("Happened", b"{}")
                client.append_event("order-1", current_version=StreamState.NO_STREAM, event=event)
            with EventStoreDBClient(two) as client:
                assert client.get_current_version("order-1") is StreamState.NO_STREAM


def test_one_process_serves_them_all(eventstoredb_pool: NodePool) -> None:
    """Nodes come one after the other without a process being started for each, and answer."""
    before = psutil.Process().children()
    for _ in range(9):
        with eventstoredb_pool.node() as uri, EventStoreDBClient(uri) as client:
            client.get_commit_position()
            assert set(psutil.Process().children()) <= set(before)  # of other tests, some may end


def test_gone_afterwards(eventstoredb_pool: NodePool) -> None:
    """A node that was given back answers no more."""
    with eventstoredb_pool.node() as uri:
        pass
    deadline = time.monotonic() + 10
    while answers(uri):
        assert time.monotonic() < deadline


def answers(uri: str) -> bool:
    try:
        with EventStoreDBClient(uri) as client:
            client.get_commit_position(timeout=1)
    except Exception:  # whatever it is: it does not answer
        return False
    return True


def test_a_pool_that_ended_says_so() -> None:
    """Asking a pool that has ended is a clear error."""
    pool = NodePool()
    with pytest.raises(NodeFailed, match="not running"), pool.node():
        pass
    with pytest.raises(NodeFailed, match=r"has ended|not running"), pool, pool.node():
        pool.stop()


def test_the_plugin(tmp_path: Path) -> None:
    """A test file that names the plugin, as pytest did not find it by itself once, still works."""
    (tmp_path / "test_users.py").write_text(USERS_TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_users.py"]
    ran = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr
