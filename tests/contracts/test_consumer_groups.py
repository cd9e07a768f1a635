"""The contract of ``ConsumerGroups``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import reduce
from operator import or_

import pytest

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import NO_STREAM, ConsumerGroups, Delivery, GroupInfo, StoreUnavailable
from tests.contracts.made_up import all_of, events, name, put_foreign, until
from tests.contracts.stores import Stores
from tests.waiting import PATIENCE

SOON = 2.0  # a message timeout that a test can wait for, and longer than an ack is on its way


class Group:
    """A consumer group of the test's own, and the category and type of event that it is for."""

    def __init__(self, stores: Stores) -> None:
        self.name, self.type, self._stores = name("group"), name("Noted"), stores
        self.category = name("notes").replace("-", "")
        self._only: EventFilter | None = None

    @property
    def only(self) -> EventFilter:
        return self._only or EventFilter.of(self.category, self.type)

    @only.setter
    def only(self, only: EventFilter) -> None:
        self._only = only

    @property
    def groups(self) -> ConsumerGroups:
        return self._stores.groups

    async def ensure(self, message_timeout: float = 30.0) -> "Group":
        await self.groups.ensure(self.name, only=self.only, message_timeout=message_timeout)
        return self

    def consume(self, *, buffer: int = 100) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        return self.groups.consume(self.name, only=self.only, buffer=buffer)

    async def put(self, count: int, type: str = "") -> list[RecordedEvent]:
        stream = name(self.category)
        await self._stores.events.append(stream, events(count, type or self.type), NO_STREAM)
        return [placeless(one) for one in await all_of(self._stores.events.read(stream))]

    async def info(self) -> GroupInfo:
        return await self.groups.info(self.name)

    async def comes_to(self, *, in_flight: int) -> None:
        """Wait until the group stands like this: settling is not confirmed."""

        async def is_there() -> bool:
            return await self.info() == GroupInfo(self.name, in_flight)

        await until(is_there)


@pytest.fixture
async def group(stores: Stores) -> Group:
    return Group(stores)


async def take(deliveries: AsyncIterator[Delivery], count: int) -> list[Delivery]:
    async with asyncio.timeout(PATIENCE):
        return [await anext(deliveries) for _ in range(count)]


async def ack_all(deliveries: AsyncIterator[Delivery], count: int) -> list[RecordedEvent]:
    taken = await take(deliveries, count)
    for delivery in taken:
        await delivery.ack()
    return recorded(taken)


def recorded(deliveries: list[Delivery]) -> list[RecordedEvent]:
    return [placeless(delivery.recorded) for delivery in deliveries]


def placeless(recorded: RecordedEvent) -> RecordedEvent:
    """Without the position, which a delivery may have from a link to the event."""
    return replace(recorded, position=0)


async def test_a_group_begins_with_the_oldest_event(group: Group) -> None:
    """It delivers the events that were there before it, then new ones, and only those of its
    types."""
    past = await group.put(3)
    await group.put(2, "Other")
    await group.ensure()

    async with group.consume() as deliveries:
        assert await ack_all(deliveries, 3) == past
        await group.put(2, "Other")
        future = await group.put(2)
        assert await ack_all(deliveries, 2) == future


async def test_what_is_not_ours_is_not_handed_out(group: Group, stores: Stores) -> None:
    """An event of our type in another category, or of another type in ours, belongs to another
    program. It counts as handled and is not delivered."""
    await group.ensure()
    await put_foreign(stores.events, group.category, group.type)
    noted = await group.put(2)
    await put_foreign(stores.events, group.category, group.type)

    async with group.consume(buffer=2) as deliveries:
        assert await ack_all(deliveries, 2) == noted
        more = await group.put(1)
        assert await ack_all(deliveries, 1) == more
        await group.comes_to(in_flight=0)


async def test_a_group_may_read_several_categories(stores: Stores) -> None:
    """Events of all of them are delivered to competing consumers, each category in its order."""
    kinds = [Group(stores) for _ in range(3)]
    joined = Group(stores)
    joined.only = reduce(or_, (kind.only for kind in kinds))
    await joined.ensure()
    past = [await kind.put(20) for kind in kinds]
    seen: list[RecordedEvent] = []

    async with joined.consume(buffer=7) as deliveries:
        for _ in range(60):
            seen += await ack_all(deliveries, 1)
        (last,) = await kinds[1].put(1)
        assert await ack_all(deliveries, 1) == [last]
        await joined.comes_to(in_flight=0)

    for noted in past:
        assert [one for one in seen if one.type == noted[0].type] == noted


async def test_consumers_may_want_less_than_their_group_reads(stores: Stores) -> None:
    """Events that a consumer does not want count as handled."""
    group, other = Group(stores), Group(stores)
    other.category = group.category
    await group.ensure()
    await other.put(3)
    noted = await group.put(1)

    async with group.consume() as deliveries:
        assert await ack_all(deliveries, 1) == noted
        await group.comes_to(in_flight=0)
    last = await group.put(1)
    async with group.consume() as deliveries:
        assert await ack_all(deliveries, 1) == last


async def test_nothing_keeps_events_from_the_groups(stores: Stores) -> None:
    """A healthy store reports no fault."""
    await Group(stores).ensure()

    async def is_fine() -> bool:
        return await stores.groups.fault() is None

    await until(is_fine)


async def test_an_acknowledged_event_does_not_come_back(group: Group) -> None:
    """It is delivered neither to the same consumer after the timeout, nor to a later one."""
    await group.ensure(message_timeout=SOON)
    *done, unsettled = await group.put(5)

    async with group.consume() as deliveries:
        assert await ack_all(deliveries, 4) == done
        assert recorded(await take(deliveries, 1)) == [unsettled]
        assert await ack_all(deliveries, 1) == [unsettled]  # beyond the timeout: now all would come
        await group.comes_to(in_flight=0)
        other = await group.put(1)
        assert await ack_all(deliveries, 1) == other

    last = await group.put(1)
    async with group.consume() as deliveries:
        assert await ack_all(deliveries, 1) == last


async def test_what_is_settled_last_counts_although_the_consumer_leaves(group: Group) -> None:
    """An acknowledgement right before the consumer leaves is not lost."""
    await group.ensure()
    await group.put(30)
    async with group.consume() as deliveries:
        await ack_all(deliveries, 30)

    last = await group.put(1)
    async with group.consume() as deliveries:
        assert await ack_all(deliveries, 1) == last


async def test_what_a_consumer_leaves_unsettled_goes_to_the_next(group: Group) -> None:
    """An event that was delivered and not settled is delivered again."""
    await group.ensure()
    noted = await group.put(3)
    async with group.consume() as deliveries:
        first, _, _ = await take(deliveries, 3)
        await first.ack()

    async with group.consume() as deliveries:
        assert recorded(await take(deliveries, 2)) == noted[1:]


async def test_consumers_compete(group: Group) -> None:
    """Each event goes to one consumer, and each consumer gets a share."""
    await group.ensure()
    shares: dict[int, list[RecordedEvent]] = {0: [], 1: [], 2: []}
    noted: list[RecordedEvent] = []

    async def work(number: int) -> None:
        async with group.consume(buffer=5) as deliveries:
            async for delivery in deliveries:
                shares[number].append(placeless(delivery.recorded))
                await delivery.ack()

    async def each_has_some() -> bool:
        noted.extend(await group.put(10))
        return all(shares.values())

    async def all_is_done() -> bool:
        return sum(map(len, shares.values())) == len(noted)

    workers = [asyncio.create_task(work(number)) for number in shares]
    await until(each_has_some)
    await until(all_is_done)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)

    done = [one for share in shares.values() for one in share]
    assert sorted(done, key=lambda e: e.id) == sorted(noted, key=lambda e: e.id)


async def test_a_consumer_is_given_no_more_than_it_can_hold(group: Group) -> None:
    """With a buffer of 3, the fourth event is delivered after one of the three is settled."""
    await group.ensure()
    noted = await group.put(6)

    async with group.consume(buffer=3) as deliveries:
        taken = await take(deliveries, 3)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(deliveries), 0.3)
        await taken[1].ack()
        assert recorded(await take(deliveries, 1)) == [noted[3]]


async def test_giving_up_waiting_loses_nothing(group: Group) -> None:
    """A timeout on the next delivery neither ends the consumer nor loses an event."""
    await group.ensure()
    async with group.consume() as deliveries:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(deliveries), 0.05)

        noted = await group.put(2)
        assert await ack_all(deliveries, 2) == noted


async def test_a_retried_event_comes_again_and_is_counted(group: Group) -> None:
    """``retry`` makes the group deliver it again soon; the delivery shows how often it was
    delivered before."""
    await group.ensure()
    (noted,) = await group.put(1)

    async with group.consume() as deliveries:
        for retries in range(3):
            (delivery,) = await take(deliveries, 1)
            assert (placeless(delivery.recorded), delivery.retries) == (noted, retries)
            await delivery.retry("not now")


async def test_what_is_not_settled_in_time_comes_again(group: Group) -> None:
    """A consumer that hangs does not keep its event: after the timeout it is delivered again, also
    to others."""
    await group.ensure(message_timeout=SOON)
    noted = await group.put(1)

    async with (
        group.consume() as hanging,
        group.consume() as working,
    ):
        first = await _whoever_comes_first(hanging, working)
        again = await _whoever_comes_first(hanging, working)
        await again.ack()
        await group.comes_to(in_flight=0)

    assert recorded([first, again]) == noted * 2
    assert (first.retries, again.retries) == (0, 1)


async def _whoever_comes_first(*consumers: AsyncIterator[Delivery]) -> Delivery:
    waiting = [asyncio.ensure_future(anext(consumer)) for consumer in consumers]
    done, others = await asyncio.wait(
        waiting, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
    )
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    (first,) = done
    return first.result()


async def test_a_group_that_is_there_is_left_as_it_is(group: Group) -> None:
    """Ensuring an existing group, as every start does, does not reset it."""
    await group.ensure()
    await group.put(2)
    async with group.consume() as deliveries:
        await ack_all(deliveries, 2)

    await group.ensure()

    last = await group.put(1)
    async with group.consume() as deliveries:
        assert await ack_all(deliveries, 1) == last


async def test_groups_do_not_notice_each_other(stores: Stores) -> None:
    """What one group has done with an event does not affect another group."""
    one, other = Group(stores), Group(stores)
    other.type, other.category = one.type, one.category
    noted = await one.put(2)

    for group in (await one.ensure(), await other.ensure()):
        async with group.consume() as deliveries:
            assert await ack_all(deliveries, 2) == noted


async def test_info_counts_what_is_in_flight(group: Group) -> None:
    """In flight are events that were delivered and are not settled."""
    await group.ensure()
    await group.put(3)

    async with group.consume() as deliveries:
        taken = await take(deliveries, 3)
        await group.comes_to(in_flight=3)
        await taken[0].ack()
        await group.comes_to(in_flight=2)


async def test_an_unknown_group_is_named(group: Group) -> None:
    """Consuming, info and deleting raise an error that names the group."""
    with pytest.raises(KeyError, match=group.name):
        async with group.consume():
            pass
    with pytest.raises(KeyError, match=group.name):
        await group.info()
    with pytest.raises(KeyError, match=group.name):
        await group.groups.delete(group.name)


async def test_a_deleted_group_ends_its_consumers(group: Group) -> None:
    """Consumers that wait get an error. Created again, the group begins anew."""
    await group.ensure()
    noted = await group.put(2)

    async with group.consume() as deliveries:
        await ack_all(deliveries, 2)
        await group.groups.delete(group.name)
        with pytest.raises(StoreUnavailable):
            await take(deliveries, 1)
    with pytest.raises(KeyError):
        await group.info()

    await group.ensure()
    async with group.consume() as deliveries:
        assert await ack_all(deliveries, 2) == noted


async def test_who_has_left_cannot_settle(group: Group) -> None:
    """Settling a delivery raises an error once its consumer has left: other consumers have the
    event by then."""
    await group.ensure()
    await group.put(1)
    async with group.consume() as deliveries:
        (delivery,) = await take(deliveries, 1)

    with pytest.raises(StoreUnavailable, match="left"):
        await delivery.ack()
    with pytest.raises(StoreUnavailable, match="left"):
        await delivery.retry("too late")


async def test_leaving_leaves_nothing_behind(group: Group) -> None:
    """When the context ends, no task is left."""
    await group.ensure()
    await group.put(5)
    before = asyncio.all_tasks()

    async with group.consume() as deliveries:
        await take(deliveries, 1)

    async with asyncio.timeout(PATIENCE):
        while left := asyncio.all_tasks() - before:
            await asyncio.wait(left, timeout=0.1)
