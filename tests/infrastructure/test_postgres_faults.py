"""PostgreSQL fails in all the ways it can: nothing acknowledged is lost, nothing is there twice."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from math import isnan
from uuid import uuid4

import psycopg
import pytest

from application.messages import NewEvent, RecordedEvent
from application.ports import (
    NO_STREAM,
    Appended,
    Progress,
    StoreUnavailable,
)
from infrastructure.postgres import EventStore, GroupCommit
from infrastructure.postgres.appending import Answer, Append, append
from infrastructure.postgres.connections import Connection
from tests.contracts.made_up import all_of, event, events, name
from tests.infrastructure.postgres_log import Log, Seen, inserted, log_at, only_events
from tests.infrastructure.postgres_restarted import Server, server_in
from tests.waiting import until, until_true

PATIENCE = 60.0  # seconds for a test that starts servers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this module's own."""
    with server_in(tmp_path_factory.mktemp("postgres")) as server:
        server.configure(max_prepared_transactions=4, wal_writer_delay="10s")
        server.restart()
        yield server


@pytest.fixture
def uri(server: Server) -> str:
    """The address of an empty corner of it. It is not cleared: the server goes with the module."""
    schema = f"test_{uuid4().hex}"
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{server.uri}&options=-csearch_path%3D{schema}"


async def test_a_position_that_is_given_out_again_is_not_missed(server: Server, uri: str) -> None:
    """A crash takes back what was rolled back: readers that had gone on that far lost an event."""
    async with log_at(uri) as log:
        first = await log.events.append(name(), [event()], NO_STREAM)
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        with psycopg.connect(uri) as undone:
            (given,) = inserted(undone, name())
            undone.rollback()
        seen: Seen = []
        await log.follow(seen, lambda: len(seen) == 2)
        assert seen[-1] == Progress(first.position, caught_up=True)

        await asyncio.to_thread(server.crash)
        again = await log.events.append(name(), [event()], NO_STREAM)
        assert again.position == given
        await log.follow(seen, lambda: len(only_events(seen)) == 2, after=seen[-1].position)

    assert [one.position for one in only_events(seen)] == [first.position, again.position]


async def test_prepared_transactions_hold_readers_across_a_crash(server: Server, uri: str) -> None:
    """Nobody is connected any more, the server has died, and their positions are still open."""
    async with log_at(uri) as log:
        first = await log.events.append(name(), [event()], NO_STREAM)
        with psycopg.connect(uri) as connection:
            connection.execute("SET session_replication_role = replica")  # no NOTIFY: it cannot
            (kept,) = inserted(connection, name())
            connection.execute("PREPARE TRANSACTION 'kept'")
            inserted(connection, name())
            connection.execute("PREPARE TRANSACTION 'undone'")
        last = await log.events.append(name(), [event()], NO_STREAM)

        await asyncio.to_thread(server.crash)
        assert await log.horizon.readable() == (first.position, True)
        held_back = await log.horizon.held_back()
        assert held_back.positions >= 3
        assert isnan(held_back.seconds)
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("COMMIT PREPARED 'kept'")
            assert await log.horizon.readable() == (kept, True)
            connection.execute("ROLLBACK PREPARED 'undone'")
        seen: Seen = []
        await log.follow(seen, lambda: len(only_events(seen)) == 3)

    positions = [one.position for one in only_events(seen)]
    assert positions == [first.position, kept, last.position]


class Writers:
    """16 clients, each of whom sends an append again until it has an answer."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.acknowledged: dict[str, list[NewEvent]] = {name(): [] for _ in range(16)}
        self.unavailable = 0
        self._enough = asyncio.Event()

    @property
    def count(self) -> int:
        return sum(map(len, self.acknowledged.values()))

    def enough(self) -> None:
        self._enough.set()

    async def write(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number, stream in enumerate(self.acknowledged):
                group.create_task(self._client(stream, number % 3 + 1))

    async def _client(self, stream: str, size: int) -> None:
        done = self.acknowledged[stream]
        while not self._enough.is_set():
            wanted, expected = events(size), len(done) - 1
            await until_true(lambda: self._appended(stream, wanted, expected), PATIENCE)  # noqa: B023
            done += wanted

    async def _appended(self, stream: str, wanted: list[NewEvent], expected: int) -> bool:
        try:
            answer = await self._log.events.append(stream, wanted, expected)
        except StoreUnavailable:
            self.unavailable += 1
            return False
        assert answer.version == expected + len(wanted)
        return True


async def follow_on(log: Log, found: list[RecordedEvent], enough: Callable[[], bool]) -> None:
    """As a projection does: subscribe again after the last position seen, whenever it breaks."""
    seen: Seen = []
    while not enough():
        with suppress(StoreUnavailable):
            async with log.subscriptions.catch_up(
                after=seen[-1].position if seen else None, types={"Noted"}
            ) as items:
                async for item in items:
                    seen.append(item)
                    found += only_events([item])
                    if enough():
                        return


async def under_load(
    log: Log, *faults: Callable[[Writers], Awaitable[object]]
) -> tuple[Writers, list[RecordedEvent]]:
    """16 clients write and one reads, while one fault comes after the other; then all is there."""
    found: list[RecordedEvent] = []
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        writers = Writers(log)
        writing = group.create_task(writers.write())
        group.create_task(
            follow_on(log, found, lambda: writing.done() and len(found) >= writers.count)
        )
        for fault in faults:
            await _go_on(writers, found)
            await fault(writers)
        await _go_on(writers, found)
        writers.enough()
    await everything_stands(log, writers.acknowledged, found)
    return writers, found


async def _go_on(writers: Writers, found: list[RecordedEvent]) -> None:
    """Until some more has been written and read."""
    written, read = writers.count, len(found)
    await until(lambda: writers.count > written + 100 and len(found) > read + 50, 30)


async def everything_stands(
    log: Log, acknowledged: dict[str, list[NewEvent]], found: list[RecordedEvent]
) -> None:
    """What was acknowledged is there once and in order; and so it came to the reader."""
    for stream, wanted in acknowledged.items():
        recorded = await all_of(log.events.read(stream))
        assert [one.id for one in recorded] == [one.id for one in wanted]
        assert [one for one in found if one.stream == stream] == recorded
    positions = [one.position for one in found]
    assert positions == sorted(set(positions))
    assert len(found) == sum(map(len, acknowledged.values()))


async def test_restarts_and_crashes_under_load(server: Server, uri: str) -> None:
    """Stopped and started, and killed, while 16 write and one reads: it heals by itself."""

    async def restart(_: Writers) -> None:
        await asyncio.to_thread(server.restart)

    async def crash(_: Writers) -> None:
        await asyncio.to_thread(server.crash)

    async with log_at(uri) as log:
        await under_load(log, restart, crash)


async def test_connections_that_are_killed_again_and_again(server: Server, uri: str) -> None:
    """All connections of the service at once, the listening one too, many times."""

    async def kill(_: Writers) -> None:
        assert await asyncio.to_thread(server.terminate) > 1

    async with log_at(uri) as log:
        await under_load(log, *[kill] * 6)
        assert log.wake_up.lost > 0


async def test_an_outage_is_told_in_words(server: Server, uri: str) -> None:
    """While the server is away callers hear StoreUnavailable, never a driver's error."""
    async with log_at(uri, patience=0.3) as log:

        async def outage(writers: Writers) -> None:
            await asyncio.to_thread(server.stop)
            told = writers.unavailable
            await until(lambda: writers.unavailable > told + 16)
            for ask in (
                log.horizon.readable(),
                log.horizon.held_back(),
                log.subscriptions.count(["Noted"]),
                all_of(log.events.read("order-1")),
            ):
                with pytest.raises(StoreUnavailable, match="PostgreSQL: "):
                    await ask
            await asyncio.to_thread(server.start)

        await under_load(log, outage)


async def test_after_a_long_outage_the_first_who_asks_is_served(server: Server, uri: str) -> None:
    """Attempts that failed do not make the next one wait longer and longer."""
    async with log_at(uri, size=1, patience=1.0) as log:
        await asyncio.to_thread(server.stop)
        for _ in range(4):
            with pytest.raises(StoreUnavailable):
                await log.readable()
        await asyncio.to_thread(server.start)

        assert await log.readable() == 0


async def test_a_server_that_only_reads_is_unavailable(uri: str) -> None:
    """As after a switch to a standby that is none any more a little later."""
    async with log_at(uri) as log:
        for readonly in ("on", "off"):
            with psycopg.connect(uri, autocommit=True) as connection:
                connection.execute("SET default_transaction_read_only = off")
                connection.execute(
                    f"ALTER SYSTEM SET default_transaction_read_only = {readonly}".encode()
                )
                connection.execute("SELECT pg_reload_conf()")
            await until_true(lambda: is_set(log, readonly))  # noqa: B023 - awaited here
            if readonly == "on":
                with pytest.raises(StoreUnavailable, match="read-only"):
                    await log.events.append(name(), [event()], NO_STREAM)
        assert (await log.events.append(name(), [event()], NO_STREAM)).version == 0


async def is_set(log: Log, wanted: str) -> bool:
    async with log.pool.connection() as connection:
        found = await connection.execute("SHOW default_transaction_read_only")
        return await found.fetchone() == (wanted,)


async def test_a_pool_that_is_used_up_is_told_in_words(postgres: str) -> None:
    """All connections are busy: after the patience StoreUnavailable, and then all goes on."""
    async with log_at(postgres, size=2, patience=0.2) as log, asyncio.timeout(PATIENCE):
        async with log.pool.connection(), log.pool.connection():
            answers = await asyncio.gather(
                *(log.events.append(name(), [event()], NO_STREAM) for _ in range(20)),
                log.readable(),
                all_of(log.events.read("order-1")),
                return_exceptions=True,
            )
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        assert "couldn't get a connection" in str(answers[0])

        await asyncio.gather(*(log.events.append(name(), [event()], -1) for _ in range(20)))


async def test_one_connection_is_enough(postgres: str) -> None:
    """Groups, those that are tried apart, and a reader take turns on it."""
    async with log_at(postgres, size=1) as log:
        await under_load(log)
        answers = await asyncio.gather(
            *(log.events.append(name(), [event(data=b"{")], NO_STREAM) for _ in range(20)),
            *(log.events.append(name(), [event()], NO_STREAM) for _ in range(20)),
            return_exceptions=True,
        )

    assert [type(answer) for answer in answers] == [ValueError] * 20 + [Appended] * 20


async def test_a_lock_on_the_table_is_told_in_words(postgres: str) -> None:
    """Somebody works on the table itself: writers and readers are told soon, all together."""
    async with log_at(postgres) as log, asyncio.timeout(PATIENCE):
        await log.events.append("order-1", [event()], NO_STREAM)
        async with await psycopg.AsyncConnection.connect(postgres) as foreign:
            await foreign.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            answers = await asyncio.gather(
                *(log.events.append(name(), [event()], NO_STREAM) for _ in range(100)),
                log.readable(),
                all_of(log.events.read("order-1")),
                log.follow([], lambda: False),
                return_exceptions=True,
            )
        assert {type(answer) for answer in answers} == {StoreUnavailable}
        assert all("lock" in str(answer) for answer in answers)

        assert len(await all_of(log.events.read("order-1"))) == 1
        await asyncio.gather(*(log.events.append(name(), [event()], -1) for _ in range(100)))


async def test_a_statement_that_takes_too_long_is_told_in_words(postgres: str) -> None:
    """The server gives up on it: nothing has been written, and the next one is served."""
    slow = [True]

    async def commit(connection: Connection, appends: Sequence[Append]) -> Sequence[Answer | None]:
        async with connection.transaction():
            answers = await append(connection, appends)
            if slow.pop():
                await connection.execute("SET LOCAL statement_timeout = '10ms'")
                await connection.execute("SELECT pg_sleep(60)")
            return answers

    async with log_at(postgres) as log, asyncio.timeout(PATIENCE):
        store, wanted = EventStore(log.pool, GroupCommit(log.pool, commit)), events(2)
        with pytest.raises(StoreUnavailable, match="statement timeout"):
            await store.append("order-1", wanted, NO_STREAM)
        assert await all_of(store.read("order-1")) == []

        slow.append(False)
        assert (await store.append("order-1", wanted, NO_STREAM)).version == 1
