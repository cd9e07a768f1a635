"""The contract of ``EventStore`` on streams of which operators have removed events."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg  # only: postgres_events
import pytest
from esdbclient import StreamState  # only: eventstoredb

from application.ports import NO_STREAM, EventStore, StreamDeleted, StreamHasHole
from infrastructure import (
    eventstoredb,  # only: eventstoredb
    memory,
    postgres,  # only: postgres_events
)
from infrastructure.dynamodb.events.tiles import tile_key  # only: dynamodb_events
from infrastructure.dynamodb.tables import STREAMS  # only: dynamodb_events
from tests.contracts.dynamodb_events import stores_in  # only: dynamodb_events
from tests.contracts.made_up import all_of, event, name
from tests.dynamodb.opened import database  # only: dynamodb_events
from tests.sample.service import SAMPLE

Delete = Callable[[str], Awaitable[None]]


@dataclass(frozen=True)
class Operated:
    """A store, and what its operators can do to a stream."""

    events: EventStore
    truncate: Callable[[str, int], Awaitable[None]]
    deletes: tuple[Delete, ...] = ()  # for a while, and for good

    async def filled(self, count: int = 4) -> str:
        """A stream with so many events, appended one by one."""
        stream = name()
        for version in range(NO_STREAM, count - 1):
            await self.events.append(stream, [event()], version)
        return stream


def in_memory() -> Operated:
    store = memory.EventStore(SAMPLE.catalogue)

    async def truncate(stream: str, before: int) -> None:
        store.truncate(stream, before)

    async def delete(stream: str) -> None:
        store.delete(stream)

    return Operated(store, truncate, (delete,))


# only: eventstoredb
@asynccontextmanager
async def in_eventstoredb(uri: str) -> AsyncIterator[Operated]:
    client = await eventstoredb.connect(uri)

    async def truncate(stream: str, before: int) -> None:
        await client.set_stream_metadata(
            stream, metadata={"$tb": before}, current_version=StreamState.ANY
        )

    async def soft(stream: str) -> None:
        await client.delete_stream(stream, current_version=StreamState.ANY)

    async def hard(stream: str) -> None:
        await client.tombstone_stream(stream, current_version=StreamState.ANY)

    try:
        yield Operated(eventstoredb.EventStore(client, SAMPLE.catalogue), truncate, (soft, hard))
    finally:
        await client.close()


# end: eventstoredb
# only: postgres_events
@asynccontextmanager
async def in_postgres(uri: str) -> AsyncIterator[Operated]:
    """Only who owns the table can do it, and only past its triggers."""

    async def truncate(stream: str, before: int) -> None:
        async with (
            await psycopg.AsyncConnection.connect(uri, autocommit=True) as owner,
            owner.transaction(),
        ):
            await owner.execute("ALTER TABLE events DISABLE TRIGGER events_are_immutable")
            await owner.execute(
                "DELETE FROM events WHERE stream_id = %s AND version < %s", [stream, before]
            )
            await owner.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_immutable")

    async with postgres.durable_pool(uri) as pool:
        await postgres.migrate(pool)
        yield Operated(postgres.EventStore(pool, SAMPLE.catalogue), truncate)


# end: postgres_events
# only: dynamodb_events
@asynccontextmanager
async def in_dynamodb(uri: str) -> AsyncIterator[Operated]:
    """Only a role with more rights than the service's can do it."""
    async with database(uri) as db:

        async def truncate(stream: str, before: int) -> None:
            for version in range(before):
                await db.client.delete_item(
                    TableName=db.table(STREAMS.name), Key=tile_key(stream, version)
                )

        yield Operated(stores_in(db).events, truncate)


# end: dynamodb_events
@asynccontextmanager
async def _operated(request: pytest.FixtureRequest) -> AsyncIterator[Operated]:
    match request.param:
        case "memory":
            yield in_memory()
        # only: eventstoredb and embedded
        case "eventstoredb-embedded (double)":
            async with in_eventstoredb(request.getfixturevalue("node").uri) as operated:
                yield operated
        # end: eventstoredb and embedded
        # only: eventstoredb
        case "eventstoredb (real)":
            async with in_eventstoredb(request.getfixturevalue("real_eventstoredb")) as operated:
                yield operated
        # end: eventstoredb
        # only: postgres_events
        case "postgres (real)":
            async with in_postgres(request.getfixturevalue("postgres_with_events")) as operated:
                yield operated
        # end: postgres_events
        # only: dynamodb_events
        case "dynamodb (double)":
            async with in_dynamodb(request.getfixturevalue("dynamodb")) as operated:
                yield operated
        # end: dynamodb_events


@pytest.fixture(
    params=[
        "memory",
        "eventstoredb-embedded (double)",  # only: eventstoredb and embedded
        "eventstoredb (real)",  # only: eventstoredb
        "postgres (real)",  # only: postgres_events
        "dynamodb (double)",  # only: dynamodb_events
    ]
)
async def operated(request: pytest.FixtureRequest) -> AsyncIterator[Operated]:
    """Every store."""
    async with _operated(request) as operated:
        yield operated


@pytest.fixture(
    params=[
        "memory",
        "eventstoredb-embedded (double)",  # only: eventstoredb and embedded
        "eventstoredb (real)",  # only: eventstoredb
    ]
)
async def deletable(request: pytest.FixtureRequest) -> AsyncIterator[Operated]:
    """Those that can delete a stream. Elsewhere, one of which all is gone was never there."""
    async with _operated(request) as operated:
        yield operated


async def test_a_stream_that_lost_its_beginning_is_not_read(operated: Operated) -> None:
    """Reading it raises an error that names the first missing version."""
    stream = await operated.filled()
    await operated.truncate(stream, 2)
    with pytest.raises(StreamHasHole, match=f"{stream} lacks version 0 and goes on with version 2"):
        await all_of(operated.events.read(stream))


async def test_what_comes_behind_a_hole_can_be_read(operated: Operated) -> None:
    """A reader that knows the missing part, from a snapshot or from before, can start behind it."""
    stream = await operated.filled()
    await operated.truncate(stream, 2)
    appended = await operated.events.append(stream, [event()], 3)

    assert appended.version == 4
    assert [e.version for e in await all_of(operated.events.read(stream, from_version=2))] == [
        2, 3, 4,
    ]  # fmt: skip
    newest = operated.events.read(stream, backwards=True)
    assert [e.version for e in await all_of(newest)] == [4, 3, 2]


async def test_a_stream_of_which_all_is_hidden_is_not_empty(deletable: Operated) -> None:
    """Reading it raises an error, and an append that expects no stream writes nothing."""
    stream = await deletable.filled()
    await deletable.truncate(stream, 4)
    with pytest.raises(StreamHasHole, match="shows none at all"):
        await all_of(deletable.events.read(stream))
    assert await all_of(deletable.events.read(stream, from_version=4)) == []


async def test_a_deleted_stream_is_named(deletable: Operated) -> None:
    """However it was deleted, reading raises an error. It is not taken for a new stream."""
    for delete in deletable.deletes:
        stream = await deletable.filled()
        await delete(stream)
        for backwards in (False, True):
            with pytest.raises(StreamDeleted, match=f"{stream} was deleted"):
                await all_of(deletable.events.read(stream, backwards=backwards))


async def test_a_deleted_stream_is_not_begun_anew_unnoticed(deletable: Operated) -> None:
    """An append that expects no stream raises an error that the stream was deleted. No version is
    invented."""
    for delete in deletable.deletes:
        stream = await deletable.filled()
        await delete(stream)
        with pytest.raises(StreamDeleted):
            await deletable.events.append(stream, [event()], NO_STREAM)
        with pytest.raises((StreamDeleted, StreamHasHole)):
            await all_of(deletable.events.read(stream))
