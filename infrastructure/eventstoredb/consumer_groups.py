"""Consumer groups: persistent subscriptions to the links that ``$by_category`` makes.

A group reads ``$ce-<category>``, one persistent subscription of its name for each category that its
consumers want. It never reads ``$all`` with a filter: there, the server's checkpoint passes events
that wait for a consumer, and after a restart they are never delivered.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from esdbclient import AsyncPersistentSubscription
from esdbclient.asyncio_client import autoreconnect, retrygrpc
from esdbclient.exceptions import AlreadyExists, NotFound
from esdbclient.persistent import SubscriptionInfo

from application.event_filter import EventFilter
from application.messages import Decoder
from application.ports import GroupInfo, no_such_group
from infrastructure.eventstoredb.client import DEADLINE, Client, answering
from infrastructure.eventstoredb.deliveries import Delivery, deliveries
from infrastructure.eventstoredb.read_ahead import read_ahead
from infrastructure.eventstoredb.settlements import Settlements
from infrastructure.eventstoredb.system_projections import (
    BY_CATEGORY,
    category_links_hindered,
    enable_system_projections,
)

LINKS: Final = "$ce-"  # how the streams begin that $by_category writes
_ACK_DELAY: Final = 0.1  # seconds that acks wait for each other
_ACK_BATCH: Final = 50
_NEVER: Final = 2**31 - 1  # retries: the server never parks, see docs/patterns/parking.md

Subscribed = tuple[AsyncPersistentSubscription, Settlements]


def _ignore(group: str) -> None:
    """Report nothing."""


class ConsumerGroups:
    """The :class:`~application.ports.ConsumerGroups` of one server."""

    def __init__(
        self, client: Client, decoder: Decoder, *, report: Callable[[str], None] = _ignore
    ) -> None:
        """``report`` is called with the group's name for each link whose event is gone."""
        self._client, self._decoder, self._report = client, decoder, report

    async def ensure(self, group: str, *, only: EventFilter, message_timeout: float = 30.0) -> None:
        """As the port. A group on ``$all``, as earlier releases made them, is replaced: the new one
        begins with the oldest event, and handling is idempotent."""
        await enable_system_projections(self._client, [BY_CATEGORY])
        for category in sorted(only.categories):
            with suppress(AlreadyExists):
                await self._create(group, LINKS + category, message_timeout)
        with suppress(NotFound):
            async with answering():
                await self._client.delete_subscription(group, timeout=DEADLINE)

    @asynccontextmanager
    async def consume(
        self, group: str, *, only: EventFilter, buffer: int = 100
    ) -> AsyncIterator[AsyncIterator[Delivery]]:
        """As the port. Each category has an equal share of ``buffer``, and one event at least."""
        categories = sorted(only.categories)
        shares = _shares(buffer, len(categories))
        subscriptions: list[Subscribed] = []
        try:
            for category, share in zip(categories, shares, strict=True):
                subscriptions.append(await self._subscribed(group, category, share))
            sources = [
                deliveries(*subscribed, only, self._decoder, lambda: self._report(group))
                for subscribed in subscriptions
            ]
            async with read_ahead(sources, sum(shares)) as ahead:
                try:
                    yield ahead
                finally:  # before reading ends, which would lose the last settlements
                    await _leave(subscriptions)
        finally:
            await _leave(subscriptions)

    async def info(self, group: str) -> GroupInfo:
        found = await self._found(group)
        return GroupInfo(group, in_flight=sum(one.total_in_flight_messages for one in found))

    async def delete(self, group: str) -> None:
        for one in await self._found(group):
            with suppress(NotFound):
                async with answering():
                    await self._client.delete_subscription(
                        group, one.event_source, timeout=DEADLINE
                    )

    async def fault(self) -> str | None:
        """Whether ``$by_category`` runs: without it no event gets a link."""
        return await category_links_hindered(self._client)

    async def _create(self, group: str, links: str, message_timeout: float) -> None:
        """Raises ``AlreadyExists``."""
        async with answering():
            await self._client.create_subscription_to_stream(
                group,
                links,
                resolve_links=True,
                consumer_strategy="RoundRobin",
                max_retry_count=_NEVER,
                message_timeout=message_timeout,
                min_checkpoint_count=1,  # a server that restarts repeats all after the last
                checkpoint_after=1.0,
                max_subscriber_count=0,  # no limit
                timeout=DEADLINE,
            )

    async def _subscribed(self, group: str, category: str, buffer: int) -> Subscribed:
        batch = min(_ACK_BATCH, max(1, buffer // 2))
        with _of(group):
            async with answering():
                return await _read(self._client, group, LINKS + category, buffer, batch)

    async def _found(self, group: str) -> Collection[SubscriptionInfo]:
        """The subscriptions of which the group consists; ``KeyError`` when there is none."""
        async with answering():
            all_there = await self._client.list_subscriptions(timeout=DEADLINE)
        found = [
            one
            for one in all_there
            if one.group_name == group and one.event_source.startswith(LINKS)
        ]
        with _of(group):
            if not found:
                raise NotFound
        return found


def _shares(buffer: int, among: int) -> Sequence[int]:
    """``buffer`` in parts that differ by one at most."""
    return [max(1, (buffer + number) // among) for number in range(among)]


@retrygrpc
@autoreconnect
async def _read(client: Client, group: str, stream: str, buffer: int, batch: int) -> Subscribed:
    """As the client's ``read_subscription_to_stream``, but with settlements of ours."""
    persistent = client._connection.persistent_subscriptions
    settlements = Settlements(group, stream, buffer, batch, _ACK_DELAY)
    call = persistent._stub.Read(
        settlements,
        metadata=persistent._metadata(client._call_metadata, requires_leader=True),
        credentials=client._call_credentials,
    )
    subscription = AsyncPersistentSubscription(
        settlements, call, group, stream, persistent._grpc_streamers
    )
    await subscription.init()
    settlements.subscription_id = subscription.subscription_id.encode()
    return subscription, settlements


async def _leave(subscriptions: Sequence[Subscribed]) -> None:
    """Send the last settlements, then leave. Idempotent."""
    with suppress(TimeoutError):
        async with asyncio.timeout(DEADLINE):
            await asyncio.gather(*(subscription.stop() for subscription, _ in subscriptions))


@contextmanager
def _of(group: str) -> Iterator[None]:
    try:
        yield
    except NotFound:
        raise no_such_group(group) from None
