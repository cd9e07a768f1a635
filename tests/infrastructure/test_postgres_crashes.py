"""PostgreSQL is stopped and killed: nothing acknowledged is lost, and nothing is there twice."""

import asyncio
from collections.abc import Iterator
from math import isnan
from uuid import uuid4

import httpx
import psycopg
import pytest

from application.ports import (
    NO_STREAM,
    Progress,
    StoreUnavailable,
)
from infrastructure import postgres as postgresql
from infrastructure.container import wired
from infrastructure.settings import Settings
from tests.contracts.made_up import all_of, event, name, only
from tests.infrastructure.postgres_load import Writers, under_load
from tests.infrastructure.postgres_log import Log, Seen, inserted, log_at, only_events
from tests.infrastructure.postgres_restarted import Server, server_in
from tests.sample.client import TRANSFER, Bank, bank_over, id_of
from tests.sample.program import BANK
from tests.waiting import until, until_true


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
        server.suspend("walwriter")  # it would bring to disk what was rolled back
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
                log.subscriptions.count(only("Noted")),
                all_of(log.events.read("order-1")),
            ):
                with pytest.raises(StoreUnavailable, match="PostgreSQL: "):
                    await ask
            await asyncio.to_thread(server.start)
            log.pool.timeout = 5.0

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


async def test_a_command_in_an_outage_is_carried_out_once(server: Server, uri: str) -> None:
    """Over HTTP: 503 with Retry-After while the server is away; with the same key, 201 later.

    The service has not been touched meanwhile, and shows the transfer.
    """
    key = {"Idempotency-Key": str(uuid4())}
    container = wired(BANK, Settings(event_store="postgres", postgres_uri=uri))
    async with bank_over(container) as bank:
        streams = container.event_side().streams
        assert isinstance(streams, postgresql.EventStore)
        pool = streams.pool
        patience, pool.timeout = pool.timeout, 0.3  # seconds, for a server that is away
        await asyncio.to_thread(server.stop)
        refused = await bank.post("/transfers", TRANSFER, key)
        await asyncio.to_thread(server.start)
        pool.timeout = patience

        answers: list[httpx.Response] = []

        async def requested() -> bool:
            answers.append(await bank.post("/transfers", TRANSFER, key))
            return answers[-1].status_code == 201

        await until_true(requested)
        answers.append(await bank.post("/transfers", TRANSFER, key))
        transfer = answers[-1].headers["Location"]
        await until_true(lambda: is_shown(bank, transfer))
        assert await bank.events(f"transfer-{id_of(transfer)}") == ["TransferRequested"]

    assert refused.status_code == 503
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert int(refused.headers["Retry-After"]) >= 1
    assert "PostgreSQL" in refused.json()["detail"]
    assert [one.status_code for one in answers if one.status_code != 503] == [201, 201]
    assert answers[-2].headers["Location"] == transfer


async def is_shown(bank: Bank, transfer: str) -> bool:
    return (await bank.http.get(transfer)).status_code == 200
