"""The members of a node: one port each, over one log. Each can be lost, and come back."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import grpc

from infrastructure.embedded.eventstoredb import cluster, features, operations
from infrastructure.embedded.eventstoredb.access import Access
from infrastructure.embedded.eventstoredb.cluster import Cluster, Member
from infrastructure.embedded.eventstoredb.doorman import Doorman
from infrastructure.embedded.eventstoredb.listener import Listener, Methods
from infrastructure.embedded.eventstoredb.node_settings import NodeSettings

_GRACE: Final = 0.2


class Members:
    """To be bound, started and stopped on the event loop's thread. Changes are one at a time."""

    def __init__(
        self,
        settings: NodeSettings,
        credentials: grpc.ServerCredentials | None,
        access: Access,
        drop_consumers: Callable[[], Awaitable[None]],
    ) -> None:
        """Without credentials they are insecure. ``drop_consumers`` is for a change of leader."""
        self._settings = settings
        self._credentials = credentials
        self._access = access
        self._drop_consumers = drop_consumers
        self._services: Mapping[str, Methods] = {}
        self._cluster = Cluster()
        self._listeners: list[Listener] = []
        self._changing = asyncio.Lock()

    @property
    def targets(self) -> list[str]:
        """Where they listen: ``host:port``, by number."""
        return [f"{self._settings.host}:{listener.port}" for listener in self._listeners]

    def bind(self) -> None:
        """Take the ports. Raises PortUnavailable."""
        host = self._settings.advertised_host or self._settings.host
        for number, port in enumerate(self._settings.ports):
            self._listeners.append(self._listener(number, port))
            self._cluster.join(Member(host, self._listeners[number].port))

    async def start(self, services: Mapping[str, Methods]) -> None:
        """Answer these calls, and those that are about the members themselves."""
        self._services = services
        for number in range(len(self._listeners)):
            await self._start(number)

    async def stop(self) -> None:
        """End the calls that are open."""
        await asyncio.gather(*(listener.stop(_GRACE) for listener in self._listeners))

    async def step_down(self) -> None:
        """Another member leads from now on; consumers have to come to it."""
        async with self._changing:
            self._cluster.step_down()
            await self._drop_consumers()

    async def take_down(self, number: int) -> None:
        """Lose a member: its port is closed, and every call there ends at once."""
        async with self._changing:
            if number in self._cluster.lost:
                return
            led = self._cluster.leader
            self._cluster.lose(number)
            await self._listeners[number].cut()
            if self._cluster.leader is not led:
                await self._drop_consumers()

    async def bring_back(self, number: int) -> None:
        """Have a lost member listen where it did. Raises PortUnavailable."""
        async with self._changing:
            if number in self._cluster.lost:
                self._listeners[number] = self._listener(number, self._listeners[number].port)
                await self._start(number)
                self._cluster.regain(number)

    async def lose_or_regain(self) -> None:
        """Lose the leader; when there are lost members, have them back. Raises PortUnavailable."""
        if lost := self._cluster.lost:
            await asyncio.gather(*map(self.bring_back, lost))
        else:
            await self.take_down(next(filter(self._cluster.leads, range(len(self._listeners)))))

    def _listener(self, number: int, port: int) -> Listener:
        guarded = self._settings.tls or self._settings.cluster
        doorman = [Doorman(self._cluster, number, self._access)] if guarded else []
        credentials = self._credentials
        return Listener(self._settings.host, port, credentials=credentials, interceptors=doorman)

    async def _start(self, number: int) -> None:
        services = {
            **self._services,
            operations.SERVICE: operations.methods(
                resign=partial(self._resign, number),
                restart_subscriptions=self._drop_consumers,
                shut_down=partial(self._shut_down, number),
            ),
            cluster.SERVICE: cluster.methods(self._cluster),
        }
        supported = [(service, method) for service in services for method in services[service]]
        features_ = {features.SERVICE: features.methods(supported)}
        await self._listeners[number].start(services | features_)

    async def _resign(self, number: int) -> None:
        if self._cluster.leads(number):  # a follower has nothing to resign from
            await self.step_down()

    async def _shut_down(self, number: int) -> None:
        """That member only; with the last one the node ends. The caller is answered first."""
        if len(self._cluster.lost) + 1 == len(self._listeners):
            signal.raise_signal(signal.SIGTERM)
        else:
            self._leaving = asyncio.create_task(self.take_down(number))
