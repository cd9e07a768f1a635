"""The members of a node: one port each, over one log. Each can be lost and started again."""

import asyncio
import random
import signal
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import grpc

from embedded_eventstoredb import cluster, features, operations
from embedded_eventstoredb.access import Access
from embedded_eventstoredb.call_routing import CallRouter, Methods
from embedded_eventstoredb.cluster import Cluster
from embedded_eventstoredb.elections import Elections
from embedded_eventstoredb.listener import Listener
from embedded_eventstoredb.member_log import MemberLog
from embedded_eventstoredb.node_settings import NodeSettings
from embedded_eventstoredb.storage import Log, Storage

_GRACE: Final = 0.2
_Services = Callable[[Log], Mapping[str, Methods]]


@dataclass
class _Member:
    """A running member, from its start to its loss."""

    listener: Listener
    router: CallRouter | None = None
    log: MemberLog | None = None

    def close(self) -> None:
        """Refuse further calls, and end catch-up subscriptions without an error."""
        if self.router is not None:
            self.router.close()
        if self.log is not None:
            self.log.close()


class Members:
    """Must be bound, started and stopped on the event loop's thread. Makes one change at a time."""

    def __init__(
        self,
        settings: NodeSettings,
        credentials: grpc.ServerCredentials | None,
        access: Access,
        storage: Storage,
        drop_consumers: Callable[[], Coroutine[None, None, None]],
    ) -> None:
        """Insecure without credentials. ``drop_consumers`` is called at a change of leader."""
        self._settings = settings
        self._credentials = credentials
        self._access = access
        self._storage = storage
        self._drop_consumers = drop_consumers
        self._services: _Services = lambda _: {}
        self._cluster = Cluster(self._resign_log)
        self._elections = Elections(
            self._cluster, storage.replication, settings.election_time, self._end_leadership
        )
        self._members: list[_Member] = []
        self._changing = asyncio.Lock()

    @property
    def cluster(self) -> Cluster:
        """The members and their states."""
        return self._cluster

    @property
    def targets(self) -> list[str]:
        """The addresses ``host:port`` of the members, by number."""
        return [f"{self._settings.host}:{member.listener.port}" for member in self._members]

    @property
    def leader_target(self) -> str:
        """The address of the member that leads and accepts writes; empty if there is none."""
        if not self._cluster.has_majority:
            return ""
        serving = filter(self._cluster.serves, range(len(self._members)))
        return next((self.targets[number] for number in serving), "")

    def bind(self) -> None:
        """Bind the ports. Raises PortUnavailable."""
        host = self._settings.advertised_host or self._settings.host
        for port in self._settings.ports:
            listener = self._listener(port)
            self._members.append(_Member(listener))
            self._cluster.join(cluster.Member(host, listener.port))
        self._elections.begin()

    async def start(self, services: _Services) -> None:
        """Answer calls: ``services`` makes the handlers for the log of each member."""
        self._services = services
        for number in range(len(self._members)):
            await self._start(number)

    def close(self) -> None:
        """Refuse further calls with ``Server Is Not Ready``."""
        self._elections.stop()
        for member in self._members:
            member.close()

    async def stop(self) -> None:
        """End the calls that are open."""
        await asyncio.gather(*(member.listener.stop(_GRACE) for member in self._members))

    async def step_down(self) -> None:
        """Have the next member elected; consumers have to reconnect to it."""
        async with self._changing:
            self._elections.resign()

    async def take_down(self, number: int) -> None:
        """Stop a member as if it were killed: its connections break."""
        async with self._changing:
            if number not in self._cluster.lost:
                self._lose(number)
                await self._members[number].listener.cut()

    async def shut_down(self, number: int) -> None:
        """Shut a member down."""
        async with self._changing:
            if number not in self._cluster.lost:
                self._members[number].close()
                self._lose(number)
                await self._members[number].listener.stop(_GRACE)

    async def bring_back(self, number: int) -> None:
        """Start a lost member again, on its port. Raises PortUnavailable."""
        async with self._changing:
            if number in self._cluster.lost:
                before = self._members[number]
                listener = self._listener(before.listener.port)
                self._members[number] = _Member(listener)
                await self._start(number, before.log.last_position if before.log else -1)
                self._cluster.regain(number)
                self._elections.reconsider()

    async def lose_or_regain(self) -> None:
        """Lose the leader; if there are lost members, start them instead.

        Raises PortUnavailable.
        """
        if lost := self._cluster.lost:
            await asyncio.gather(*map(self.bring_back, lost))
        elif self._cluster.leader is not None:
            await self.take_down(next(filter(self._cluster.leads, range(len(self._members)))))

    def _lose(self, number: int) -> None:
        self._cluster.lose(number)
        self._elections.reconsider()

    def _resign_log(self, number: int) -> None:
        if (log := self._members[number].log) is not None:
            log.resign()

    async def _end_leadership(self) -> None:
        """Forget consumers and the ids of recent events: another leader does not know them."""
        self._storage.forget_ids()
        await self._drop_consumers()

    def _listener(self, port: int) -> Listener:
        return Listener(self._settings.host, port, credentials=self._credentials)

    async def _start(self, number: int, has: int = -1) -> None:
        member = self._members[number]
        if self._settings.cluster:
            leads = partial(self._cluster.leads, number)
            member.log = MemberLog(self._storage, self._settings.follower_lag, leads, has)
        services = {
            **self._services(member.log or self._storage),
            operations.SERVICE: operations.methods(
                resign=partial(self._resign, number),
                restart_subscriptions=self._drop_consumers,
                shut_down=partial(self._leave, number),
            ),
            cluster.SERVICE: cluster.methods(self._cluster),
        }
        supported = [(service, method) for service in services for method in services[service]]
        services[features.SERVICE] = features.methods(supported)
        member.router = CallRouter(self._cluster, number, self._access, services)
        await member.listener.start(member.router)

    async def _resign(self, number: int) -> None:
        """Elect any member, possibly the same one; a follower does not resign."""
        if self._cluster.leads(number):
            alive = set(range(len(self._members))) - set(self._cluster.lost)
            self._elections.resign(random.choice(sorted(alive)))

    async def _leave(self, number: int) -> None:
        """Shut down that member, or the node if it is the last one.

        The caller is answered first.
        """
        if len(self._cluster.lost) + 1 == len(self._members):
            signal.raise_signal(signal.SIGTERM)
        else:
            self._leaving = asyncio.create_task(self.shut_down(number))
