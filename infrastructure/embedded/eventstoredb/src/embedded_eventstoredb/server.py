"""The node: a log, its services, and one port, or the three of a cluster."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Final

import grpc

from embedded_eventstoredb import (
    rpc_persistent,
    rpc_projections,
    rpc_streams,
    rpc_users,
    streams,
)
from embedded_eventstoredb.access import Access, GuardedAccess, OpenAccess
from embedded_eventstoredb.call_routing import Methods
from embedded_eventstoredb.errors import EXPECT_NO_STREAM
from embedded_eventstoredb.http_server import HttpServer
from embedded_eventstoredb.listener import CertificatesUnavailable, PortUnavailable
from embedded_eventstoredb.members import Members
from embedded_eventstoredb.node_settings import LOOPBACK, NodeSettings
from embedded_eventstoredb.persistent_subscriptions import PersistentSubscriptions
from embedded_eventstoredb.projections.projections import Projections
from embedded_eventstoredb.storage import (
    Log,
    NewRecord,
    Storage,
    Transaction,
    compact,
)
from embedded_eventstoredb.users import create_default_users

_LAST_WORDS: Final = 0.1  # seconds for dropped consumers to receive the reason

__all__ = ["CertificatesUnavailable", "Node", "NodeSettings", "PortUnavailable", "serve"]


class Node:
    """A node on its log. After ``start`` it listens, and ``uri`` is its connection string."""

    def __init__(self, settings: NodeSettings) -> None:
        """Opens the log. Raises StorageUnavailable."""
        self.uri = ""
        self.http = ""
        """Its HTTP address, ``http://host:port``; empty without HTTP."""
        self._settings = settings
        self._storage = Storage(settings.data_dir)
        self.groups = PersistentSubscriptions(self._storage)
        self._projections = Projections(self._storage)
        self._access: Access = GuardedAccess(self._storage) if settings.tls else OpenAccess()
        self._members: Members | None = None
        self._http: HttpServer | None = None

    @property
    def members(self) -> Members:
        """Its members, after ``start``."""
        assert self._members is not None
        return self._members

    async def start(self) -> None:
        """Listen. Raises StorageUnavailable, PortUnavailable and CertificatesUnavailable."""
        try:
            await self._storage.write(_begin_log)
            if self._settings.tls:
                await self._storage.write(create_default_users)
            self._bind()
            self.groups.start()
            await self._projections.start(standard=self._settings.projections)
            await self.members.start(self._services)
            await self._start_http()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Drop consumers, end open calls, finish writes, release the directory.

        Calls in the meantime are answered ``Server Is Not Ready``.
        """
        if self._members is not None:
            self._members.close()
        self._storage.replication.release()
        if await self.groups.stop():
            await asyncio.sleep(_LAST_WORDS)
        if self._http is not None:
            self._http.stop()
        if self._members is not None:
            await self._members.stop()
        await self._projections.stop()
        self._storage.close()

    async def _start_http(self) -> None:
        port = self._settings.http_port
        if port is not None:
            cluster, with_users = self.members.cluster, self._settings.tls
            self._http = HttpServer(cluster, self._storage, with_users=with_users)
            self.http = f"http://{LOOPBACK}:{await self._http.start(port)}"

    def _bind(self) -> None:
        authority, credentials = self._encryption() if self._settings.tls else (None, None)
        restart = self.groups.restart
        self._members = Members(self._settings, credentials, self._access, self._storage, restart)
        self._members.bind()
        self.uri = self._connection_string(authority)

    def _encryption(self) -> tuple[Path, grpc.ServerCredentials]:
        try:
            from embedded_eventstoredb.certificates import node_certificate
        except ImportError as error:
            raise CertificatesUnavailable(
                "TLS needs a package that is not installed here: pip install cryptography"
            ) from error
        settings = self._settings
        directory = settings.certificates or self._storage.directory / "certificates"
        made = node_certificate(directory, settings.names)
        return made.authority, grpc.ssl_server_credentials([(made.key, made.certificate)])

    def _connection_string(self, authority: Path | None) -> str:
        targets = ",".join(self.members.targets)
        if authority is None:
            return f"esdb://{targets}?Tls=false"
        return f"esdb://admin:changeit@{targets}?TlsCaFile={authority}"

    def _services(self, log: Log) -> dict[str, Methods]:
        storage, access = self._storage, self._access
        return {
            rpc_streams.SERVICE: rpc_streams.methods(
                log, storage, access, self._settings.max_append_size
            ),
            rpc_persistent.SERVICE: rpc_persistent.methods(self.groups, access),
            rpc_projections.SERVICE: rpc_projections.methods(self._projections),
            rpc_users.SERVICE: rpc_users.methods(storage, access),
        }


async def serve(settings: NodeSettings, ready: Callable[[Node], None] | None = None) -> None:
    """Run a node until SIGINT or SIGTERM; ``ready`` is called once it listens.

    On SIGUSR1 the leader of a cluster steps down. SIGUSR2 stops it as if it were killed; the next
    SIGUSR2 starts it again.
    Raises StorageUnavailable, PortUnavailable and CertificatesUnavailable.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    node = Node(settings)
    await node.start()
    _on_signal(signal.SIGUSR1, node.members.step_down)
    _on_signal(signal.SIGUSR2, node.members.lose_or_regain)
    try:
        if ready is not None:
            ready(node)
        await stopping.wait()
    finally:
        await node.stop()


def _on_signal(number: signal.Signals, work: Callable[[], Coroutine[None, None, None]]) -> None:
    at_work: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(number, lambda: at_work.add(asyncio.create_task(work())))


def _begin_log(transaction: Transaction) -> None:
    """Write the first record of a new log: its epoch."""
    if transaction.last_position < 0:
        data = compact({"epochNumber": 0})
        epoch = NewRecord("$epoch-information", data, is_json=True)
        streams.append(transaction, "$epoch-information", EXPECT_NO_STREAM, [epoch])
