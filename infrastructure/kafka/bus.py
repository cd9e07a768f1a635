"""The topics of one service in Kafka, and the right to publish to them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Final

from application.ports import Fenced, ForwarderStanding, PositionLost, Sought, TopicStanding
from infrastructure.kafka.blocking import Thread
from infrastructure.kafka.looking_up import LookingUp
from infrastructure.kafka.publishing import TRANSACTION, Publisher, Transactions
from infrastructure.kafka.reading_back import ReadingBack
from infrastructure.kafka.topics import Topics

_ATTEMPTS: Final = 10  # a forwarder that was fenced can be back before the position has moved


class Bus:
    """A :class:`~application.ports.Bus`."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        service: str,
        topics: Sequence[str],
        prefix: str = "",
        *,
        transaction: float = TRANSACTION,
    ) -> None:
        """``settings`` of the client; ``prefix``: what all names in Kafka begin with.

        A transaction fails after that many seconds without the broker.
        """
        self._settings, self._prefix, self._transaction = settings, prefix, transaction
        self._id = f"{prefix}{service}-forwarder"  # no topic of events has a - before its category
        self._topics = Topics(settings, [f"{prefix}{topic}" for topic in topics], self._id)
        self._back, self._up = ReadingBack(settings), LookingUp(settings, prefix)

    @asynccontextmanager
    async def publisher(self) -> AsyncIterator[Publisher]:
        async with self._opened() as publisher:
            if publisher.standing is None and await asyncio.to_thread(self._have_records):
                raise PositionLost(self._id)
            yield publisher

    async def move(self, standing: ForwarderStanding) -> None:
        for _ in range(_ATTEMPTS):
            with suppress(Fenced):
                async with self._opened() as publisher:
                    await publisher.publish([], standing)
                return
        raise Fenced("other forwarders are started all the time")

    async def standing(self) -> ForwarderStanding | None:
        return await asyncio.to_thread(self._back.standing, self._id)

    async def published_at(self, sought: Sequence[Sought]) -> Sequence[datetime | None]:
        found = await asyncio.to_thread(self._up.times, sought)
        return [found.get(one.name) for one in sought]

    async def topics(self) -> Sequence[TopicStanding]:
        return await asyncio.to_thread(self._topics.standings)

    async def create_topics(
        self, partitions: int | None = None, replication: int | None = None
    ) -> Sequence[str]:
        return await asyncio.to_thread(self._topics.create, partitions, replication)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Publisher]:
        thread = Thread(self._id)
        limits = await asyncio.to_thread(self._topics.limits)
        transactions = Transactions(
            self._settings, self._id, self._prefix, limits, thread, self._transaction
        )
        try:
            await thread.run(transactions.begin)
            publisher = Publisher(thread, transactions)
            publisher.standing = await thread.run(lambda: self._back.standing(self._id))
            yield publisher
        finally:
            await thread.end(transactions.discard)

    def _have_records(self) -> bool:
        topics = [one for one in self._topics.standings() if one.name != self._id]
        return self._back.has_records({one.name: one.partitions or 0 for one in topics})
