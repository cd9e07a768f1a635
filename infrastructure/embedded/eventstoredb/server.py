"""The node: a log, the services on it, one port or the three of a cluster."""

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

import grpc

from infrastructure.embedded.eventstoredb import (
    cluster,
    features,
    operations,
    rpc_persistent,
    rpc_projections,
    rpc_streams,
    rpc_users,
    streams,
)
from infrastructure.embedded.eventstoredb.access import Access, GuardedAccess, OpenAccess
from infrastructure.embedded.eventstoredb.cluster import Cluster, Member
from infrastructure.embedded.eventstoredb.doorman import Doorman
from infrastructure.embedded.eventstoredb.errors import EXPECT_NO_STREAM
from infrastructure.embedded.eventstoredb.listener import (
    CertificatesUnavailable,
    Listener,
    Methods,
    PortUnavailable,
)
from infrastructure.embedded.eventstoredb.node_settings import NodeSettings
from infrastructure.embedded.eventstoredb.persistent_subscriptions import PersistentSubscriptions
from infrastructure.embedded.eventstoredb.projections.projections import Projections
from infrastructure.embedded.eventstoredb.storage import NewRecord, Storage, Transaction
from infrastructure.embedded.eventstoredb.users import found_users

__all__ = ["CertificatesUnavailable", "Node", "NodeSettings", "PortUnavailable", "serve"]

_GRACE: Final = 0.2


class Node:
    """A node on its log. ``start`` makes it listen; then ``uri`` is how clients find it."""

    def __init__(self, settings: NodeSettings) -> None:
        """Opens the log. Raises StorageUnavailable."""
        self.uri = ""
        self._settings = settings
        self._storage = Storage(settings.data_dir)
        self._groups = PersistentSubscriptions(self._storage)
        self._projections = Projections(self._storage)
        self._cluster = Cluster()
        self._listeners: list[Listener] = []

    async def start(self) -> None:
        """Listen. Raises StorageUnavailable, PortUnavailable and CertificatesUnavailable."""
        try:
            await self._storage.write(_found)
            self._bind()
            self._groups.start()
            await self._projections.start(running=self._settings.projections)
            services = self._services()
            for listener in self._listeners:
                await listener.start(services)
        except BaseException:
            await self.stop()
            raise

    async def step_down(self) -> None:
        """Another member of the cluster leads from now on; consumers have to come to it."""
        self._cluster.step_down()
        await self._groups.restart()

    async def stop(self) -> None:
        """End the calls that are open, finish the writes, and let go of the directory."""
        await asyncio.gather(*(listener.stop(_GRACE) for listener in self._listeners))
        await self._projections.stop()
        await self._groups.stop()
        self._storage.close()

    def _bind(self) -> None:
        settings, authority, credentials = self._settings, None, None
        if settings.tls:
            authority, credentials = self._encryption()
        self._access: Access = GuardedAccess(self._storage) if settings.tls else OpenAccess()
        guarded = settings.tls or settings.cluster
        for number, port in enumerate(settings.ports):
            doorman = [Doorman(self._cluster, number, self._access)] if guarded else []
            listener = Listener(settings.host, port, credentials=credentials, interceptors=doorman)
            self._listeners.append(listener)
            self._cluster.join(Member(settings.advertised_host or settings.host, listener.port))
        self.uri = self._connection_string(authority)

    def _encryption(self) -> tuple[Path, grpc.ServerCredentials]:
        try:
            from infrastructure.embedded.eventstoredb.certificates import node_certificate
        except ImportError as error:
            raise CertificatesUnavailable(
                "TLS needs the package 'cryptography': pip install 'headwater[embedded]'"
            ) from error
        settings = self._settings
        directory = settings.certificates or self._storage.directory / "certificates"
        made = node_certificate(directory, settings.names)
        return made.authority, grpc.ssl_server_credentials([(made.key, made.certificate)])

    def _connection_string(self, authority: Path | None) -> str:
        host = self._settings.host
        targets = ",".join(f"{host}:{listener.port}" for listener in self._listeners)
        if authority is None:
            return f"esdb://{targets}?Tls=false"
        return f"esdb://admin:changeit@{targets}?TlsCaFile={authority}"

    def _services(self) -> dict[str, Methods]:
        storage, access = self._storage, self._access
        services = {
            rpc_streams.SERVICE: rpc_streams.methods(storage, access),
            rpc_persistent.SERVICE: rpc_persistent.methods(self._groups, access),
            rpc_projections.SERVICE: rpc_projections.methods(self._projections),
            rpc_users.SERVICE: rpc_users.methods(storage, access),
            operations.SERVICE: operations.methods(self.step_down, self._groups.restart),
            cluster.SERVICE: cluster.methods(self._cluster),
        }
        supported = [(service, method) for service in services for method in services[service]]
        return services | {features.SERVICE: features.methods(supported)}


async def serve(settings: NodeSettings, ready: Callable[[Node], None] | None = None) -> None:
    """Run a node until SIGINT or SIGTERM; ``ready`` is called once it listens.

    On SIGUSR1 the leader of a cluster steps down.
    Raises StorageUnavailable, PortUnavailable and CertificatesUnavailable.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    node = Node(settings)
    await node.start()
    leaving: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(
        signal.SIGUSR1, lambda: leaving.add(asyncio.create_task(node.step_down()))
    )
    try:
        if ready is not None:
            ready(node)
        await stopping.wait()
    finally:
        await node.stop()


def _found(transaction: Transaction) -> None:
    """What a log begins with: its epoch, and users."""
    if transaction.last_position < 0:
        data = json.dumps({"epochNumber": 0}).encode()
        epoch = NewRecord("$epoch-information", data, is_json=True)
        streams.append(transaction, "$epoch-information", EXPECT_NO_STREAM, [epoch])
    found_users(transaction)
