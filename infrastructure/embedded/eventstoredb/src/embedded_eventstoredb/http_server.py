"""The server's HTTP/1.1 endpoints for monitoring: whether it is alive, which member leads.

It has a port of its own, on loopback, since gRPC for Python can neither share its port nor take
over an accepted connection. It cannot change anything, or read a stream.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from esdbclient.protos.Grpc import gossip_pb2

from embedded_eventstoredb.cluster import Cluster
from embedded_eventstoredb.features import SERVER_VERSION
from embedded_eventstoredb.listener import PortUnavailable
from embedded_eventstoredb.node_settings import LOOPBACK
from embedded_eventstoredb.storage import Log

_LONGEST: Final = 8192  # bytes of a request's head
_PATIENCE: Final = 2.0  # seconds in which it must arrive
_AT_ONCE: Final = 32
_State = gossip_pb2.MemberInfo.VNodeState


class HttpServer:
    """Must be started and stopped on the event loop's thread."""

    def __init__(self, cluster: Cluster, log: Log, *, with_users: bool) -> None:
        self._cluster = cluster
        self._log = log
        self._with_users = with_users
        self._started = datetime.now(UTC)
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._server: asyncio.Server | None = None
        self._answers: Mapping[str, Callable[[], Any]] = {
            "/ping": lambda: {
                "text": "Ping request successfully handled",
                "label": "message",
                "msgTypeId": 1,
            },
            "/info": self._info,
            "/gossip": self._gossip,
            "/stats": self._stats,
        }

    async def start(self, port: int) -> int:
        """Listen on the port, 0 for any free one. Returns the port. Raises PortUnavailable."""
        try:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, port, limit=_LONGEST)
        except OSError as error:
            raise PortUnavailable(
                f"cannot listen for HTTP on {LOOPBACK}:{port}: another program may hold it; "
                "give another port (0 is any free one)"
            ) from error
        return int(self._server.sockets[0].getsockname()[1])

    def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request of a connection."""
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with self._room, asyncio.timeout(_PATIENCE):
                writer.write(self._answer(await _head(reader)))
                await writer.drain()
        writer.close()

    def _answer(self, head: str) -> bytes:
        method, _, rest = head.partition(" ")
        target, _, version = rest.partition("\r\n")[0].rpartition(" ")
        if not version.startswith("HTTP/1."):
            return _response(HTTPStatus.BAD_REQUEST)
        if method not in ("GET", "HEAD"):
            return _response(HTTPStatus.METHOD_NOT_ALLOWED)
        asked = urlsplit(target)
        if asked.path == "/health/live":
            return _response(_live_code(asked.query))
        if asked.path not in self._answers:
            return _response(HTTPStatus.NOT_FOUND)
        body = json.dumps(self._answers[asked.path]()).encode()
        return _response(HTTPStatus.OK, body, with_body=method == "GET")

    def _info(self) -> dict[str, Any]:
        return {
            "esVersion": SERVER_VERSION,
            "state": "leader" if self._cluster.leader else "unknown",
            "features": {"projections": True, "userManagement": self._with_users, "atomPub": False},
            "authentication": {
                "type": "internal" if self._with_users else "insecure",
                "properties": {},
            },
        }

    def _gossip(self) -> dict[str, Any]:
        members = self._cluster.info().members
        first = members[0].http_end_point
        return {
            "members": list(map(self._member, members)),
            "serverIp": first.address,
            "serverPort": first.port,
        }

    def _member(self, member: gossip_pb2.MemberInfo) -> dict[str, Any]:
        position = self._log.last_position
        return {
            "instanceId": member.instance_id.string,
            "timeStamp": datetime.now(UTC).isoformat(),
            "state": _State.Name(member.state),
            "isAlive": member.is_alive,
            "httpEndPointIp": member.http_end_point.address,
            "httpEndPointPort": member.http_end_point.port,
            "lastCommitPosition": position,
            "writerCheckpoint": position,
            "chaserCheckpoint": position,
            "nodePriority": 0,
            "isReadOnlyReplica": False,
        }

    def _stats(self) -> dict[str, Any]:
        load = zip(("1m", "5m", "15m"), os.getloadavg(), strict=True)
        return {
            "proc": {
                "id": os.getpid(),
                "startTime": self._started.isoformat(),
                "cpuSeconds": time.process_time(),
            },
            "sys": {"loadavg": dict(load)},
            "es": {"lastCommitPosition": self._log.last_position},
        }


async def _head(reader: asyncio.StreamReader) -> str:
    """The head of a request; empty if it is too long."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError:
        return ""


def _live_code(query: str) -> HTTPStatus:
    """204, or the status in the query parameter ``liveCode``, as on the server."""
    with suppress(ValueError, KeyError):
        return HTTPStatus(int(parse_qs(query)["liveCode"][0]))
    return HTTPStatus.NO_CONTENT


def _response(status: HTTPStatus, body: bytes = b"", *, with_body: bool = True) -> bytes:
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", "Connection: close"]
    if body:
        lines.append("Content-Type: application/json; charset=utf-8")
    if status is not HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""]).encode()
    return head + body if with_body else head
