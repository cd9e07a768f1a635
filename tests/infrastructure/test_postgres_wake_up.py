"""Readers are woken by NOTIFY; where no call comes, they look by themselves."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest

from application.messages import RecordedEvent
from application.ports import NO_STREAM
from infrastructure.postgres import Horizon, Subscriptions, WakeUp
from tests.contracts.made_up import event, name, only
from tests.infrastructure.postgres_log import Log, Seen, inserted_into, log_at, only_events
from tests.sample.service import SAMPLE
from tests.waiting import PATIENCE, until

NO_NET = 10 * PATIENCE
"""Whoever waits for a look that nobody called for waits longer than the test does."""


async def append(log: Log) -> int:
    return (await log.events.append(name(), [event()], NO_STREAM)).position


async def following(
    log: Log, act: Callable[[Callable[[int], Awaitable[None]]], Awaitable[None]]
) -> list[RecordedEvent]:
    """What a reader has seen in the end; ``act`` may wait until it has seen so many."""
    seen: Seen = []
    reader = asyncio.create_task(log.follow(seen, lambda: False))
    try:
        async with asyncio.timeout(PATIENCE):
            await act(lambda count: until(lambda: len(only_events(seen)) == count, PATIENCE))
    finally:
        reader.cancel()
        await asyncio.wait([reader])
    return only_events(seen)


async def test_a_commit_wakes_who_waits(postgres: str) -> None:
    """Each of many events comes although nobody would look by himself for minutes."""
    async with log_at(postgres, net=NO_NET) as log:

        async def act(seen: Callable[[int], Awaitable[None]]) -> None:
            for count in range(1, 21):
                await append(log)
                await seen(count)

        assert len(await following(log, act)) == 20


async def test_it_listens_once_somebody_waits(postgres: str) -> None:
    """Commits do not wake a process that only appends: it has no connection that listens."""

    async with log_at(postgres, net=NO_NET) as log:
        await append(log)
        assert not is_listening(postgres)

        async def act(seen: Callable[[int], Awaitable[None]]) -> None:
            await seen(1)
            await until(lambda: is_listening(postgres))
            await append(log)
            await seen(2)

        assert len(await following(log, act)) == 2


async def test_a_commit_calls_those_who_want_its_events(postgres: str) -> None:
    """A notification says what was added, so others need not look."""
    mine, others, called = name("Noted"), name("Noted"), list[str]()
    async with log_at(postgres) as log:
        with (
            log.wake_up.calling(lambda: called.append("mine"), only(mine)),
            log.wake_up.calling(lambda: called.append("others"), only(others)),
        ):
            while called.count("mine") < 2:  # all are called once when it begins to listen
                await log.events.append(name(), [event(mine), event(mine)], NO_STREAM)
                await asyncio.sleep(0.01)
            called.clear()
            await log.events.append(name(), [event(others)], NO_STREAM)
            await until(lambda: "others" in called)
            await log.events.append(name(), [event(mine)], NO_STREAM)
            await until(lambda: called[-1] == "mine")
            assert called.count("others") == 1


async def test_a_commit_of_too_much_calls_everybody(postgres: str) -> None:
    """A notification holds 8,000 bytes: beyond that, it does not say what was added."""
    called = list[str]()
    async with log_at(postgres) as log:
        with log.wake_up.calling(lambda: called.append("one"), only(name("Noted"))):
            await until(lambda: "one" in called)  # all are called once when it begins to listen
            called.clear()
            many = [event(name("OfATypeOfItsOwn")) for _ in range(150)]
            await log.events.append(name(), many, NO_STREAM)
            await until(lambda: "one" in called)


async def test_without_a_call_there_is_the_net(postgres: str) -> None:
    """Nothing listens, and what is appended comes all the same."""
    async with log_at(postgres) as log:
        deaf = Subscriptions(log.pool, WakeUp(), log.horizon, SAMPLE.catalogue, net=0.1)

        async def act(seen: Callable[[int], Awaitable[None]]) -> None:
            for count in (1, 2):
                await append(log)
                await seen(count)

        quiet = Log(log.pool, log.events, deaf, log.horizon, log.wake_up)
        assert len(await following(quiet, act)) == 2


async def test_what_was_committed_while_nobody_listened_is_not_missed(postgres: str) -> None:
    """The listening connection is killed: it comes back, counts that, and calls everybody."""
    async with log_at(postgres, net=NO_NET) as log:

        async def act(seen: Callable[[int], Awaitable[None]]) -> None:
            for count in range(1, 4):
                await asyncio.to_thread(end_listening, postgres)
                await until(lambda: log.wake_up.lost == count)  # noqa: B023 - awaited here
                await append(log)
                await seen(count)

        assert log.wake_up.lost == 0
        assert len(await following(log, act)) == 3


LISTENERS = """
FROM pg_stat_activity
WHERE application_name = 'headwater wake-up' AND query = %s
"""


def listens(connection: psycopg.Connection[tuple[int]]) -> str:
    """What the listener of this store, and of no other test's, has asked for last."""
    found = connection.execute("SELECT 'events'::regclass::oid::int").fetchone()
    assert found is not None
    return f'LISTEN "events_{found[0]}"'


def is_listening(uri: str) -> bool:
    with psycopg.connect(uri) as connection:
        found = connection.execute(f"SELECT 1 {LISTENERS}".encode(), [listens(connection)])
        return found.fetchone() is not None


def end_listening(uri: str) -> None:
    """Kill it as soon as it listens."""
    while not is_listening(uri):
        pass
    with psycopg.connect(uri) as connection:
        kill = f"SELECT pg_terminate_backend(pid) {LISTENERS}"
        connection.execute(kill.encode(), [listens(connection)])


@pytest.mark.parametrize("ending", ["rollback", "close"])
async def test_a_rollback_is_noticed(postgres: str, ending: str) -> None:
    """Who held readers back ends without a commit, so without a call: they go on all the same."""
    async with log_at(postgres, net=NO_NET) as log:
        horizon = Looks(log.pool)
        watched = Subscriptions(log.pool, log.wake_up, horizon, SAMPLE.catalogue, net=NO_NET)

        async def act(seen: Callable[[int], Awaitable[None]]) -> None:
            async with await psycopg.AsyncConnection.connect(postgres) as late:
                await inserted_into(late, name())
                await append(log)
                await until(lambda: horizon.in_vain > 2)
                await (late.rollback() if ending == "rollback" else late.close())
                await seen(1)

        await following(Log(log.pool, log.events, watched, horizon, log.wake_up), act)


class Looks(Horizon):
    """Counts who looked in vain."""

    in_vain = 0

    async def readable(self) -> tuple[int, bool]:
        readable, held_back = await super().readable()
        self.in_vain += held_back
        return readable, held_back
