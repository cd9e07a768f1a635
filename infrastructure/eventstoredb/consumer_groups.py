"""Consumer groups: persistent subscriptions to ``$all``."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from esdbclient import AsyncPersistentSubscription
from esdbclient import RecordedEvent as ClientEvent
from esdbclient.exceptions import AlreadyExists, NotFound

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import GroupInfo
from infrastructure.eventstoredb.client import DEADLINE, Client, by_type, to_recorded, unavailable
from infrastructure.eventstoredb.read_ahead import read_ahead
from infrastructure.eventstoredb.settlements import Settlements

_ACK_DELAY = 0.02  # seconds that acks wait for each other
_ACK_BATCH = 50


class ConsumerGroups:
    """The :class:`~application.ports.ConsumerGroups` of one server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def ensure(
        self,
        group: str,
        *,
        only: EventFilter,
        max_retries: int = 10,
        message_timeout: float = 30.0,
    ) -> None:
        with suppress(AlreadyExists), unavailable():
            await self._client.create_subscription_to_all(
                group,
                filter_include=by_type(only),
                consumer_strategy="RoundRobin",
                max_retry_count=max_retries,
                message_timeout=message_timeout,
                min_checkpoint_count=1,  # a server that restarts hands out little twice
                checkpoint_after=1.0,
                max_subscriber_count=0,  # no limit
                timeout=DEADLINE,
            )

    @asynccontextmanager
    async def consume(
        self, group: str, *, only: EventFilter, buffer: int = 100
    ) -> AsyncIterator[AsyncIterator["Delivery"]]:
        with _of(group), unavailable():
            subscription = await self._client.read_subscription_to_all(
                group,
                event_buffer_size=buffer,
                max_ack_batch_size=min(_ACK_BATCH, max(1, buffer // 2)),
                max_ack_delay=_ACK_DELAY,
            )
        assert isinstance(subscription, AsyncPersistentSubscription)
        settlements = Settlements(subscription)

        def deliver(event: ClientEvent) -> Delivery:
            return Delivery(event, settlements)

        async with read_ahead(subscription, deliver, buffer) as deliveries:
            try:
                yield _Wanted(deliveries, only)
            finally:
                await _leave(subscription)

    async def replay_parked(self, group: str) -> None:
        with _of(group), unavailable():
            await self._client.replay_parked_events(group, timeout=DEADLINE)

    async def info(self, group: str) -> GroupInfo:
        with _of(group), unavailable():
            info = await self._client.get_subscription_info(group, timeout=DEADLINE)
        return GroupInfo(
            group, in_flight=info.total_in_flight_messages, parked=info.parked_message_count
        )

    async def delete(self, group: str) -> None:
        with _of(group), unavailable():
            await self._client.delete_subscription(group, timeout=DEADLINE)


class _Wanted:
    """What is wanted of the deliveries; the rest is acknowledged here."""

    def __init__(self, deliveries: AsyncIterator["Delivery"], only: EventFilter) -> None:
        self._deliveries, self._only = deliveries, only

    def __aiter__(self) -> "_Wanted":
        return self

    async def __anext__(self) -> "Delivery":
        while (delivery := await anext(self._deliveries)).recorded not in self._only:
            await delivery.ack()
        return delivery


class Delivery:
    """A :class:`~application.ports.Delivery`; it cannot be settled once its consumer has left.

    The server confirms no settlement: one that is lost with the connection means a repetition.
    """

    def __init__(self, event: ClientEvent, settlements: Settlements) -> None:
        self.recorded: RecordedEvent = to_recorded(event)
        self.retries = event.retry_count or 0
        self._id, self._settlements = event.ack_id, settlements

    async def ack(self) -> None:
        await self._settlements.ack(self._id)

    async def retry(self, reason: str) -> None:
        await self._settlements.nack(self._id, "retry", reason)

    async def park(self, reason: str) -> None:
        await self._settlements.nack(self._id, "park", reason)

    async def skip(self, reason: str) -> None:
        await self._settlements.nack(self._id, "skip", reason)


async def _leave(subscription: AsyncPersistentSubscription) -> None:
    """Send what was settled, then go."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DEADLINE):
            await subscription.stop()


@contextmanager
def _of(group: str) -> Iterator[None]:
    try:
        yield
    except NotFound:
        raise KeyError(f"there is no consumer group {group!r}") from None
