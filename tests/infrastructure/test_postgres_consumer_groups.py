"""Consumer groups in PostgreSQL, beside their contract: processes that compete, die and wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest

from application.messages import RecordedEvent
from application.ports import NO_STREAM, Delivery, GroupInfo, StoreUnavailable
from infrastructure import postgres as postgresql  # beside the fixture of that name
from tests.contracts.made_up import event, events, name, only
from tests.infrastructure.postgres_log import INSERT, inserted_into, log_at
from tests.sample.service import SAMPLE
from tests.waiting import PATIENCE, until


@dataclass(frozen=True)
class Process:
    """What one process holds of the store."""

    events: postgresql.EventStore
    groups: postgresql.ConsumerGroups
    group: str
    type: str  # that the group is for

    def consume(self, *, buffer: int = 100) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        return self.groups.consume(self.group, only=only(self.type), buffer=buffer)

    async def put(self, count: int) -> set[UUID]:
        new = events(count, self.type)
        await self.events.append(name(), new, NO_STREAM)
        return {event.id for event in new}


@asynccontextmanager
async def process(
    uri: str, group: str = "group", type: str = "Noted", message_timeout: float = 3600
) -> AsyncIterator[Process]:
    async with log_at(uri) as log, postgresql.pool(uri) as pool:
        groups = postgresql.ConsumerGroups(pool, log.wake_up, SAMPLE.catalogue)
        await groups.ensure(group, only=only(type), message_timeout=message_timeout)
        yield Process(log.events, groups, group, type)


async def take(deliveries: AsyncIterator[Delivery], count: int) -> list[Delivery]:
    async with asyncio.timeout(PATIENCE):
        return [await anext(deliveries) for _ in range(count)]


def positions(deliveries: list[Delivery]) -> list[int]:
    return [delivery.recorded.position for delivery in deliveries]


def kill_consumers(uri: str) -> None:
    """The server ends the connections of all consumers, as it does when their processes die."""
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
            " WHERE locktype = 'advisory' AND classid = 'consumer_groups'::regclass"
        )


async def test_processes_share_the_work_and_double_nothing(postgres: str) -> None:
    """Two processes, one group: each event goes to one of them, and both get some."""
    shares: list[list[RecordedEvent]] = [[], []]

    async def work(one: Process, share: list[RecordedEvent]) -> None:
        async with one.consume(buffer=5) as deliveries:
            async for delivery in deliveries:
                share.append(delivery.recorded)
                await delivery.ack()

    async with process(postgres) as one, process(postgres) as other:
        tasks = [
            asyncio.create_task(work(*each)) for each in zip((one, other), shares, strict=True)
        ]
        count = 0
        async with asyncio.timeout(PATIENCE):
            while not all(shares) or count < 200:
                await one.put(20)
                count += 20
        await until(lambda: sum(map(len, shares)) >= count)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert await one.groups.info("group") == GroupInfo("group", in_flight=0)

    assert len({recorded.id for share in shares for recorded in share}) == count
    assert sum(map(len, shares)) == count


async def test_what_a_dead_consumer_held_is_free_at_once(postgres: str) -> None:
    """Long before its time is out it is with another; the dead one hears it, whatever it does."""
    async with process(postgres) as one, process(postgres) as other:
        await one.put(3)
        async with one.consume() as dying:
            held = await take(dying, 3)
            kill_consumers(postgres)
            async with other.consume() as deliveries:
                again = await take(deliveries, 3)

            with pytest.raises(StoreUnavailable):
                await take(dying, 1)
            with pytest.raises(StoreUnavailable):
                await held[0].ack()

    assert positions(again) == positions(held)
    assert [delivery.retries for delivery in again] == [1, 1, 1]


async def test_who_waits_notices_that_another_has_died(postgres: str) -> None:
    """Nobody tells him: he looks now and then."""
    async with process(postgres) as one, process(postgres) as other:
        await one.put(2)
        async with one.consume() as dying:
            held = await take(dying, 2)
            async with other.consume() as deliveries:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(anext(deliveries), 0.1)
                kill_one_that_holds(postgres)
                assert positions(await take(deliveries, 2)) == positions(held)


def kill_one_that_holds(uri: str) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN consumer_group_events"
            " ON objid = consumer WHERE locktype = 'advisory'"
            " AND classid = 'consumer_groups'::regclass"
        )


async def test_what_was_fetched_and_never_asked_for_was_not_handed_out(postgres: str) -> None:
    """A consumer that leaves gives it back as it was: only what it has seen counts a retry."""
    async with process(postgres) as one:
        await one.put(3)
        async with one.consume() as deliveries:
            await take(deliveries, 1)
        async with one.consume() as deliveries:
            again = await take(deliveries, 3)

    assert [delivery.retries for delivery in again] == [1, 0, 0]


async def test_what_expired_before_it_was_asked_for_is_not_handed_out(postgres: str) -> None:
    """It was fetched, its time was out, another has done it: who asks now does not get it."""
    async with process(postgres, message_timeout=0.5) as one:
        await one.put(2)
        async with one.consume(buffer=2) as slow:
            await until(lambda: fetched(postgres) == 2)
            with psycopg.connect(postgres) as connection:  # whoever comes now has all the time
                connection.execute("UPDATE consumer_groups SET message_timeout = 3600")
            async with one.consume() as quick:
                for delivery in await take(quick, 2):
                    await delivery.ack()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(slow), 0.1)


def fetched(uri: str) -> int:
    """How many events consumers have been given, and nobody has done."""
    with psycopg.connect(uri) as connection:
        found = connection.execute("SELECT count(*) FROM consumer_group_events").fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("commits", [True, False])
async def test_a_group_passes_no_event_that_is_still_to_be_committed(
    postgres: str, commits: bool
) -> None:
    """What came later waits until it is decided: then all of it comes, in order."""
    async with process(postgres) as one, one.consume() as deliveries:
        async with await psycopg.AsyncConnection.connect(postgres) as late:
            (held,) = await inserted_into(late, name())
            later = await one.events.append(name(), [event()], NO_STREAM)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(deliveries), 0.3)
            await (late.commit() if commits else late.rollback())
        expected = [held, later.position] if commits else [later.position]
        assert positions(await take(deliveries, len(expected))) == expected


async def test_a_rare_event_is_found_behind_many_others(postgres: str) -> None:
    """A visit looks at a part of the log and no more, and goes on where the last one ended."""
    async with process(postgres) as one:
        with psycopg.connect(postgres) as connection:
            others = INSERT.replace("'Noted'", "'Other'").encode()
            connection.execute(others, ["other-1", "other-1", 0, 24_999])
        rare = await one.events.append(name(), [event()], NO_STREAM)

        async with one.consume() as deliveries:
            assert positions(await take(deliveries, 1)) == [rare.position]


async def test_a_consumer_of_a_deleted_group_is_none_of_its_successor(postgres: str) -> None:
    """The same name again is another group: who was in the old one has to come in anew."""
    async with process(postgres) as one:
        async with one.consume() as old:
            with psycopg.connect(postgres) as connection:  # in one transaction: nobody sees it gone
                connection.execute("DELETE FROM consumer_groups")
                connection.execute("INSERT INTO consumer_groups VALUES ('group', 9)")
            await one.put(1)
            with pytest.raises(StoreUnavailable, match="deleted"):
                await take(old, 1)
        async with one.consume() as deliveries:
            await take(deliveries, 1)
