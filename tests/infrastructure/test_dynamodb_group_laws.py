"""Whatever consumers of DynamoDB's groups do, or die of: every event is done, none is lost."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal, assert_never
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports import NO_STREAM, Delivery, StoreUnavailable
from infrastructure.dynamodb.client import Database
from infrastructure.dynamodb.events.seen_group import find
from tests.contracts.dynamodb_events import stores_in
from tests.contracts.made_up import events, name, only
from tests.contracts.stores import Stores
from tests.dynamodb.faults import ALL, Fault, Faults, answer_lost, in_turn, request_lost
from tests.dynamodb.opened import database
from tests.waiting import PATIENCE, until, until_true

SILENCE = 0.5  # seconds

Act = Literal["ack", "retry", "keep", "die"]


@dataclass(frozen=True)
class Life:
    """One consumer: what it does with the events that it is given, one after the other."""

    buffer: int
    acts: Sequence[Act]


acts: st.SearchStrategy[Act] = st.sampled_from(("ack", "ack", "ack", "retry", "keep", "die"))
lives = st.builds(Life, st.integers(1, 6), st.lists(acts, min_size=1, max_size=8))


@dataclass
class Process:
    """A process with its own client, which may be cut off from the server."""

    database: Database
    stores: Stores
    faults: Faults
    group: str
    type: str

    async def put(self, count: int) -> tuple[set[UUID], int]:
        """The ids of so many events, and the position of the last."""
        batch = events(count, self.type)
        put = await self.stores.events.append(name(), batch, NO_STREAM)
        return {event.id for event in batch}, put.position

    def consume(self, buffer: int = 10) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        return self.stores.groups.consume(self.group, only=only(self.type), buffer=buffer)

    async def live(self, life: Life) -> set[UUID]:
        """To the end of that life, or until nothing comes any more or the store fails; what it has
        acknowledged, as far as it knows."""
        settled = set[UUID]()
        with suppress(StoreUnavailable, TimeoutError):
            async with self.consume(life.buffer) as deliveries:
                for act in life.acts:
                    delivery = await asyncio.wait_for(anext(deliveries), 0.5)
                    match act:
                        case "ack":
                            await delivery.ack()
                            settled.add(delivery.recorded.id)
                        case "retry":
                            await delivery.retry("not now")
                        case "keep":
                            pass
                        case "die":
                            self.faults.next = request_lost
                            break
                        case _:
                            assert_never(act)
        return settled

    async def has_done_all(self, until: int) -> bool:
        """Whether the group has no event left up to that position."""
        found = await find(self.database, self.group)
        assert found is not None
        return found.after >= until and not (found.claims or found.waiting)


@asynccontextmanager
async def process(
    uri: str, beside: Process | None = None, *, attempts: int = 1
) -> AsyncIterator[Process]:
    """With a group of its own, or that of another process."""
    faults, prefix = Faults(), beside.database.prefix if beside else None
    async with database(uri, faults, prefix=prefix, attempts=attempts) as db:
        stores = stores_in(db, silence=SILENCE)
        if beside:
            yield Process(db, stores, faults, beside.group, beside.type)
            return
        first = Process(db, stores, faults, name("group"), name("Noted"))
        await stores.groups.ensure(first.group, only=only(first.type), message_timeout=3600.0)
        yield first


async def until_done(process: Process, last: int) -> set[UUID]:
    """Acknowledge what comes until nothing is left; what came."""
    came = set[UUID]()

    async def work() -> None:
        async with process.consume() as deliveries:
            async for delivery in deliveries:
                came.add(delivery.recorded.id)
                await delivery.ack()

    working = asyncio.create_task(work())
    try:
        await until_true(lambda: process.has_done_all(last))
    finally:
        working.cancel()
        await asyncio.wait([working])
    return came


@given(
    some=st.lists(lives, min_size=2, max_size=4),
    faults=st.lists(st.sampled_from(ALL), max_size=30),
)
@settings(
    max_examples=6,
    deadline=None,  # a socket decides
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each has tables of its own
)
async def test_nothing_is_lost_whatever_consumers_die_of(
    dynamodb: str, some: list[Life], faults: list[Fault]
) -> None:
    """Consumers ack, retry, keep events or are cut off, and calls meet faults: each event
    that none acknowledged comes to one after them, although the message timeout is an hour."""
    async with process(dynamodb) as last:
        put, position = await last.put(12)

        async def led(life: Life) -> set[UUID]:
            async with process(dynamodb, last) as one:
                one.faults.next = in_turn(faults)
                return await one.live(life)

        settled = set[UUID]().union(*await asyncio.gather(*map(led, some)))
        assert await until_done(last, position) | settled == put


async def test_a_slow_consumer_keeps_its_events(dynamodb: str) -> None:
    """It gives signs of life, so nobody else is handed what it holds, however long that takes."""
    async with process(dynamodb) as one, process(dynamodb, one) as other:
        await one.put(1)
        async with one.consume() as slow, other.consume() as waiting:
            held = await anext(slow)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(waiting), 4 * SILENCE)
            await held.ack()


async def test_a_write_that_the_client_repeats_takes_no_more(dynamodb: str) -> None:
    """The answer to what takes an event is lost, and the client sends it again, in vain: the
    consumer finds that it has the event, and takes no other besides."""
    async with process(dynamodb, attempts=3) as one:
        await one.put(3)
        one.faults.only(answer_lost, "PutItem", times=1)
        async with one.consume(1) as deliveries:
            await anext(deliveries)
            found = await find(one.database, one.group)
            assert found is not None
            assert found.in_flight == 1


async def test_the_dead_leave_no_trace(dynamodb: str) -> None:
    """What a consumer held that was cut off comes again, counted, and its item is deleted."""
    async with process(dynamodb) as one, process(dynamodb, one) as other:
        await one.put(1)
        async with one.consume() as cut_off, other.consume() as after:
            held = await anext(cut_off)
            await until(lambda: any("#" in str(call.asked) for call in one.faults.calls))
            one.faults.next = request_lost
            again = await asyncio.wait_for(anext(after), PATIENCE)
            assert (again.recorded, again.retries) == (held.recorded, 1)
            await until(lambda: any(c.operation == "DeleteItem" for c in other.faults.calls))
