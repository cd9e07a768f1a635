"""The adapter on three members that lose their leader: unavailable for a moment, and then on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from uuid import UUID

import pytest

from application.messages import NewEvent, RecordedEvent
from application.ports import NO_STREAM, Appended, StoreUnavailable
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb
from infrastructure.eventstoredb import Client, ConsumerGroups, EventStore, Subscriptions
from tests.contracts.made_up import all_of, event, name, only
from tests.sample.service import SAMPLE
from tests.waiting import PATIENCE, until

APPENDS = 30  # while each of the leaders is lost
LOSSES = 2


@pytest.fixture
def cluster() -> Iterator[NodeProcess]:
    with NodeProcess(cluster=True, follower_lag=0.05, election_time=0.2) as node:
        node.leader()
        yield node


@pytest.fixture
async def client(cluster: NodeProcess) -> AsyncIterator[Client]:
    client = await eventstoredb.connect(cluster.uri)
    yield client
    await client.close()


async def test_a_lost_leader_is_unavailability_and_nothing_else(
    cluster: NodeProcess, client: Client
) -> None:
    """Whatever the members answer while they elect, callers hear StoreUnavailable; repeated with
    the same ids, each append is there once; followers and groups go on, and miss nothing."""
    type, group, stream = name("T"), name("g"), name()
    store, groups = (
        EventStore(client, SAMPLE.catalogue),
        ConsumerGroups(client, SAMPLE.catalogue),
    )
    await groups.ensure(group, only=only(type))
    followed, handled = list[UUID](), set[UUID]()
    tasks = [
        asyncio.create_task(_follow(Subscriptions(client, SAMPLE.catalogue), type, followed)),
        asyncio.create_task(_handle(groups, group, type, handled)),
    ]
    appended: list[UUID] = []
    version = NO_STREAM
    async with AsyncExitStack() as stack:
        for task in tasks:
            stack.callback(task.cancel)
        for _ in range(LOSSES):
            leader = await asyncio.to_thread(cluster.leader)
            lost = cluster.lost(leader)
            losing = asyncio.create_task(asyncio.to_thread(lost.__enter__))
            for _ in range(APPENDS):
                new = event(type)
                answer = await _appended(store, stream, new, version)
                assert answer.version == version + 1
                version, appended = answer.version, [*appended, new.id]
            await losing
            await asyncio.to_thread(lost.__exit__, None, None, None)

        assert [one.id for one in await _read(store, stream)] == appended
        await until(lambda: followed == appended, every=0.01)
        await until(lambda: handled >= set(appended), every=0.01)
        assert not any(task.done() for task in tasks), "nothing but StoreUnavailable was raised"


async def _appended(store: EventStore, stream: str, new: NewEvent, version: int) -> Appended:
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(StoreUnavailable):
                return await store.append(stream, [new], version)
            await asyncio.sleep(0.05)


async def _read(store: EventStore, stream: str) -> list[RecordedEvent]:
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(StoreUnavailable):
                return await all_of(store.read(stream))
            await asyncio.sleep(0.05)


async def _follow(subscriptions: Subscriptions, type: str, seen: list[UUID]) -> None:
    after: int | None = None
    while True:
        with suppress(StoreUnavailable):
            async with subscriptions.catch_up(after=after, only=only(type)) as messages:
                async for message in messages:
                    if isinstance(message, RecordedEvent):
                        seen.append(message.id)
                    after = message.position
        await asyncio.sleep(0.05)


async def _handle(groups: ConsumerGroups, group: str, type: str, seen: set[UUID]) -> None:
    while True:
        with suppress(StoreUnavailable, KeyError):
            async with groups.consume(group, only=only(type)) as deliveries:
                async for delivery in deliveries:
                    seen.add(delivery.recorded.id)
                    await delivery.ack()
        await asyncio.sleep(0.05)
