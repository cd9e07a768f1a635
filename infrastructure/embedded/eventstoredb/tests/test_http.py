"""What the node answers over HTTP/1.1, on a port of its own."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from embedded_eventstoredb import NodeFailed, NodeProcess


@pytest.fixture(scope="module")
def serving() -> Iterator[NodeProcess]:
    """A cluster, in memory, that answers over HTTP."""
    with NodeProcess(cluster=True, http_port=0, projections=False) as node:
        yield node


def keys(answer: httpx.Response) -> list[str]:
    body: dict[str, Any] = answer.json()
    return sorted(body)


def test_it_is_alive(serving: NodeProcess) -> None:
    """``/health/live`` answers 204 with an empty body, or with the requested status."""
    alive = httpx.get(f"{serving.http}/health/live")
    assert (alive.status_code, alive.content) == (204, b"")
    assert httpx.get(f"{serving.http}/health/live?liveCode=200").status_code == 200
    assert httpx.get(f"{serving.http}/health/live?liveCode=x").status_code == 204


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ping", ["label", "msgTypeId", "text"]),
        ("/info", ["authentication", "esVersion", "features", "state"]),
        ("/gossip", ["members", "serverIp", "serverPort"]),
        ("/stats", ["es", "proc", "sys"]),
    ],
)
def test_answers(serving: NodeProcess, path: str, expected: list[str]) -> None:
    """Each path has the keys that it has on the server, in JSON."""
    answer = httpx.get(f"{serving.http}{path}")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert keys(answer) == expected
    assert httpx.head(f"{serving.http}{path}").content == b""


def test_gossip(serving: NodeProcess) -> None:
    """Gossip names the members, their gRPC ports, and the leader."""
    members = httpx.get(f"{serving.http}/gossip").json()["members"]
    targets = [f"{member['httpEndPointIp']}:{member['httpEndPointPort']}" for member in members]
    assert ",".join(targets) in serving.uri
    assert [member["state"] for member in members].count("Leader") == 1


def test_nothing_else(serving: NodeProcess) -> None:
    """Other paths are not found, other methods are not allowed."""
    for path in ("/", "/web", "/metrics", "/streams/order-1", "/health/livelier"):
        assert httpx.get(f"{serving.http}{path}").status_code == 404
    assert httpx.post(f"{serving.http}/ping").status_code == 405


@pytest.mark.parametrize(
    "sent", [b"\r\n\r\n", b"GET /ping\r\n\r\n", b"x" * 100_000, b"\x16\x03\x01\r\n\r\n"]
)
def test_what_is_no_request(serving: NodeProcess, sent: bytes) -> None:
    """Bytes that are not an HTTP/1 request are answered 400, or not at all; other requests go
    on.
    """
    host = urlsplit(serving.http)
    with socket.create_connection((host.hostname, host.port), timeout=60) as connection:
        connection.sendall(sent)
        with suppress(ConnectionResetError):  # it had not read all that was sent
            assert connection.recv(100)[:12] in (b"HTTP/1.1 400", b"")
    assert httpx.get(f"{serving.http}/ping").status_code == 200


def test_connections_that_say_nothing(serving: NodeProcess) -> None:
    """Idle connections are closed, and then others are answered."""
    host = urlsplit(serving.http)
    silent = [socket.create_connection((host.hostname, host.port)) for _ in range(33)]
    connection = http.client.HTTPConnection(str(host.hostname), host.port, timeout=60)
    connection.request("GET", "/ping")
    assert connection.getresponse().status == 200
    connection.close()
    for one in silent:
        one.close()


def test_it_is_off() -> None:
    """A node that is given no port for it does not answer over HTTP."""
    with NodeProcess(projections=False) as node, pytest.raises(NodeFailed, match="http_port"):
        _ = node.http


def test_a_port_that_is_held(serving: NodeProcess) -> None:
    """A port that another program holds is a sentence that names it, and no node."""
    port = urlsplit(serving.http).port
    with pytest.raises(NodeFailed, match=f"cannot listen for HTTP on 127.0.0.1:{port}"):
        NodeProcess(http_port=port).start()
