"""Whoever writes, however: every reader of PostgreSQL's log sees the same, once, in order."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from application.event_filter import EventFilter
from application.messages import RecordedEvent
from application.ports import NO_STREAM
from tests.contracts.made_up import event, events, name
from tests.infrastructure.postgres_log import Log, Seen, inserted_into, log_at, only_events
from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Append:
    """By the adapter."""

    events: int


@dataclass(frozen=True)
class Transaction:
    """Inserts past the adapter, one after the other, each followed by a pause in milliseconds."""

    inserts: tuple[tuple[int, int], ...]
    commit: bool
    savepoint: bool  # an insert that is taken back comes in between


Step = Append | Transaction

small = st.integers(min_value=1, max_value=4)
pauses = st.integers(min_value=0, max_value=12)
steps: st.SearchStrategy[Step] = st.one_of(
    st.builds(Append, small),
    st.builds(
        Transaction,
        st.lists(st.tuples(small, pauses), min_size=1, max_size=3).map(tuple),
        st.booleans(),
        st.booleans(),
    ),
)
writers = st.lists(st.lists(steps, min_size=1, max_size=6), min_size=2, max_size=7)


@given(writers=writers, stops=st.lists(st.integers(1, 20), min_size=3, max_size=3))
@settings(
    max_examples=20,
    deadline=None,  # a server decides
    suppress_health_check=[
        HealthCheck.function_scoped_fixture
    ],  # read on from where the last ended
)
async def test_readers_lose_repeat_and_reorder_nothing(
    postgres: str, writers: list[list[Step]], stops: list[int]
) -> None:
    """Readers in several processes, who stop now and then and go on, see what is committed."""
    async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        logs = [await stack.enter_async_context(log_at(postgres, size=4)) for _ in stops]
        before = await logs[0].readable()
        async with asyncio.TaskGroup() as group:
            reading = [
                group.create_task(read(log, before, stop))
                for log, stop in zip(logs, stops, strict=True)
            ]
            writing = [
                group.create_task(write(postgres, logs[number % len(logs)], steps))
                for number, steps in enumerate(writers)
            ]
            await asyncio.gather(*writing)
            await logs[0].events.append(name(), [event("Ended")], NO_STREAM)
        committed = await truth(postgres, before)

    for readers in reading:
        assert [one.position for one in readers.result()] == committed


async def write(uri: str, log: Log, steps: list[Step]) -> None:
    async with await AsyncConnection.connect(uri) as connection:
        for step in steps:
            match step:
                case Append(count):
                    await log.events.append(name(), events(count), NO_STREAM)
                case Transaction():
                    await _transaction(connection, step)


async def _transaction(connection: AsyncConnection, step: Transaction) -> None:
    for count, pause in step.inserts:
        if step.savepoint:
            async with connection.transaction(force_rollback=True):
                await inserted_into(connection, name(), count=count)
        await inserted_into(connection, name(), count=count)
        await asyncio.sleep(pause / 1000)
    await (connection.commit() if step.commit else connection.rollback())


async def read(log: Log, after: int, stop: int) -> list[RecordedEvent]:
    """All until the one that ends it, in portions: after each it subscribes anew."""
    found: list[RecordedEvent] = []
    while not found or found[-1].type != "Ended":
        seen: Seen = []
        async with log.subscriptions.catch_up(
            after=after, only=EventFilter.of("stream", "Noted", "Ended")
        ) as items:
            async for item in items:
                seen.append(item)
                if len(seen) == stop or (isinstance(item, RecordedEvent) and item.type == "Ended"):
                    break
        after = seen[-1].position
        found += only_events(seen)
    return found


async def truth(uri: str, after: int) -> list[int]:
    async with await AsyncConnection.connect(uri) as connection:
        found = await connection.execute(
            "SELECT global_position FROM events WHERE global_position > %s ORDER BY 1", [after]
        )
        return [position for (position,) in await found.fetchall()]
