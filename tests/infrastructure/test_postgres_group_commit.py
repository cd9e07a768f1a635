"""Group commit: many appends in one transaction, and none of them notices the others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import psycopg
import pytest

from application.messages import NewEvent
from application.ports import NO_STREAM, Appended, StoreUnavailable, WrongExpectedVersion
from infrastructure.postgres import EventStore, GroupCommit
from infrastructure.postgres.events.appending import Answer, Append, append
from infrastructure.postgres.pools import Connection
from tests.contracts.made_up import all_of, event, events, name
from tests.infrastructure.postgres_log import inserted_into, log_at
from tests.sample.service import SAMPLE
from tests.waiting import PATIENCE, until


@asynccontextmanager
async def store_at(uri: str, groups: list[int]) -> AsyncIterator[EventStore]:
    """A store that tells how many appends each of its groups has."""
    async with log_at(uri) as log, asyncio.timeout(PATIENCE):
        yield EventStore(log.pool, SAMPLE.catalogue, GroupCommit(log.pool, report=groups.append))


def transactions(uri: str) -> int:
    """How many have written the events there are."""
    with psycopg.connect(uri) as connection:
        found = connection.execute("SELECT count(DISTINCT xmin::text) FROM events").fetchone()
    assert found is not None
    return int(found[0])


async def test_appends_that_wait_together_are_one_transaction(postgres: str) -> None:
    """50 that come at once need one transaction, and each learns its own version and position."""
    groups: list[int] = []
    async with store_at(postgres, groups) as store:
        streams = [name() for _ in range(50)]
        answers = await asyncio.gather(
            *(store.append(stream, events(n % 3 + 1), -1) for n, stream in enumerate(streams))
        )

        assert groups == [50]
        assert transactions(postgres) == 1
        for n, (stream, answer) in enumerate(zip(streams, answers, strict=True)):
            recorded = await all_of(store.read(stream))
            assert len(recorded) == n % 3 + 1
            assert answer == Appended(recorded[-1].version, recorded[-1].position)


async def test_who_comes_alone_is_a_group(postgres: str) -> None:
    """One after the other, each append is a transaction of its own, which waits for nobody."""
    groups: list[int] = []
    async with store_at(postgres, groups) as store:
        for version in range(-1, 9):
            await store.append("transfer-1", [event()], version)

    assert groups == [1] * 10
    assert transactions(postgres) == 10


async def test_who_comes_meanwhile_goes_together(postgres: str) -> None:
    """Two transactions are under way at a time; who comes then waits for the first that ends."""
    begun, go_on = list[int](), asyncio.Event()

    async def commit(connection: Connection, appends: Sequence[Append]) -> Sequence[Answer | None]:
        begun.append(len(appends))
        await go_on.wait()
        return await append(connection, appends)

    async with log_at(postgres) as log, asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        store = EventStore(log.pool, SAMPLE.catalogue, GroupCommit(log.pool, commit))
        group.create_task(store.append(name(), [event()], NO_STREAM))
        await until(lambda: begun == [1])
        group.create_task(store.append(name(), [event()], NO_STREAM))
        await until(lambda: begun == [1, 1])
        for _ in range(9):
            group.create_task(store.append(name(), [event()], NO_STREAM))
        await asyncio.sleep(0)
        go_on.set()

    assert begun == [1, 1, 9]


async def test_each_gets_its_own_answer(postgres: str) -> None:
    """Conflict, repetition, bad data, a taken id: others in the group hear nothing of it."""
    groups: list[int] = []
    async with store_at(postgres, groups) as store:
        taken, twice = event(), events(2)
        await store.append("transfer-taken", [taken], NO_STREAM)
        first = await store.append("transfer-twice", twice, NO_STREAM)

        wrong, repeated, bad, elsewhere, *good = await asyncio.gather(
            store.append("transfer-taken", [event()], NO_STREAM),
            store.append("transfer-twice", twice, NO_STREAM),
            store.append("transfer-bad", [event(data=b"{")], NO_STREAM),
            store.append("transfer-elsewhere", [event(), taken], NO_STREAM),
            *(store.append(name(), events(2), NO_STREAM) for _ in range(20)),
            return_exceptions=True,
        )

    assert groups == [1, 1, 24]
    assert isinstance(wrong, WrongExpectedVersion)
    assert wrong.actual == 0
    assert repeated == first
    assert isinstance(bad, ValueError)
    assert isinstance(elsewhere, ValueError)
    assert all(isinstance(answer, Appended) and answer.version == 1 for answer in good)


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_somebodys_open_transaction_stops_its_own_stream_only(
    postgres: str, ending: str
) -> None:
    """Who appends to the stream is told so; others do not wait; when it ends all is well again."""
    go_on = asyncio.Event()

    async def commit(connection: Connection, appends: Sequence[Append]) -> Sequence[Answer | None]:
        if [one.stream for one in appends] == ["transfer-held"]:
            await go_on.wait()  # what is tried apart takes longer than all the others
        return await append(connection, appends)

    async with (
        log_at(postgres) as log,
        asyncio.timeout(PATIENCE),
        await psycopg.AsyncConnection.connect(postgres) as foreign,
    ):
        store = EventStore(log.pool, SAMPLE.catalogue, GroupCommit(log.pool, commit))
        await inserted_into(foreign, "transfer-held")
        held = asyncio.create_task(store.append("transfer-held", [event()], NO_STREAM))
        others = [asyncio.create_task(store.append(name(), [event()], -1)) for _ in range(30)]
        await asyncio.gather(*others)
        assert not held.done()
        go_on.set()
        with pytest.raises(StoreUnavailable, match="transfer-held and keeps its transaction open"):
            await held

        await (foreign.commit() if ending == "commit" else foreign.rollback())
        with suppress(WrongExpectedVersion):
            assert (await store.append("transfer-held", [event()], NO_STREAM)).version == 0
        assert len(await all_of(store.read("transfer-held"))) == 1
        for version in range(5):
            await store.append("transfer-held", [event()], version)


async def test_a_held_stream_that_is_asked_for_again_and_again_slows_nobody(postgres: str) -> None:
    """Many who insist on it get their refusals, while others append hundreds of times."""
    refused, appended = 0, 0

    async def insist(store: EventStore) -> None:
        nonlocal refused
        while not done.is_set():
            with pytest.raises(StoreUnavailable):
                await store.append("transfer-held", [event()], NO_STREAM)
            refused += 1
            await asyncio.sleep(0.01)  # an impatient client

    async def others(store: EventStore) -> None:
        nonlocal appended
        for _ in range(50):
            await store.append(name(), [event()], NO_STREAM)
            appended += 1

    done, groups = asyncio.Event(), list[int]()
    async with (
        store_at(postgres, groups) as store,
        await psycopg.AsyncConnection.connect(postgres) as foreign,
        asyncio.TaskGroup() as group,
    ):
        await inserted_into(foreign, "transfer-held")
        for _ in range(8):
            group.create_task(insist(store))
        await until(lambda: refused > 8)
        with_it = len(groups)
        async with asyncio.TaskGroup() as writing:
            for _ in range(6):
                writing.create_task(others(store))
        done.set()

    assert appended == 300
    assert sum(groups[with_it:]) == 300  # not one of the groups had the held stream in it


@pytest.mark.parametrize("when", ["waiting", "under way"])
async def test_a_caller_that_gives_up_harms_nobody(postgres: str, when: str) -> None:
    """Who is cancelled may find the append done or not, and repeats it; the others are served."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def commit(connection: Connection, appends: Sequence[Append]) -> Sequence[Answer | None]:
        begun.set()
        await go_on.wait()
        return await append(connection, appends)

    async with log_at(postgres) as log, asyncio.timeout(PATIENCE):
        store, wanted = (
            EventStore(log.pool, SAMPLE.catalogue, GroupCommit(log.pool, commit)),
            events(2),
        )
        leaving = asyncio.create_task(store.append("transfer-1", wanted, NO_STREAM))
        staying = [asyncio.create_task(store.append(name(), [event()], -1)) for _ in range(5)]
        await (begun.wait() if when == "under way" else asyncio.sleep(0))
        leaving.cancel()
        await asyncio.wait([leaving])
        go_on.set()

        assert [one.version for one in await asyncio.gather(*staying)] == [0] * 5
        assert len(await all_of(store.read("transfer-1"))) == (2 if when == "under way" else 0)
        assert (await store.append("transfer-1", wanted, NO_STREAM)).version == 1
        assert [one.id for one in await all_of(store.read("transfer-1"))] == [
            one.id for one in wanted
        ]


async def test_an_answer_that_was_lost_is_given_all_the_same(postgres: str) -> None:
    """The connection dies between commit and answer: nobody notices, and nothing stands twice."""
    killed: list[int] = []

    async def commit(connection: Connection, appends: Sequence[Append]) -> Sequence[Answer | None]:
        answers = await append(connection, appends)
        if not killed:
            killed.append(connection.info.backend_pid)
            async with await psycopg.AsyncConnection.connect(postgres) as other:
                await other.execute("SELECT pg_terminate_backend(%s)", killed)
            await connection.execute("SELECT 1")
        return answers

    async with log_at(postgres) as log:
        store, wanted = (
            EventStore(log.pool, SAMPLE.catalogue, GroupCommit(log.pool, commit)),
            events(3),
        )
        answers = await asyncio.gather(
            store.append("transfer-1", wanted, NO_STREAM),
            *(store.append(name(), [event()], NO_STREAM) for _ in range(9)),
        )

        assert killed
        assert [one.version for one in answers] == [2] + [0] * 9
        recorded = await all_of(store.read("transfer-1"))
        assert [one.id for one in recorded] == [one.id for one in wanted]
        assert answers[0].position == recorded[-1].position
        assert await store.append("transfer-1", wanted, NO_STREAM) == answers[0]


async def test_whatever_isolation_the_database_prefers(postgres: str) -> None:
    """Where transactions are serializable by default, who comes second still learns the version."""
    strict = f"{postgres}%20-cdefault_transaction_isolation%3Dserializable"
    async with log_at(strict) as one, log_at(strict) as other, asyncio.timeout(PATIENCE):
        for version in range(-1, 9):
            answers = await asyncio.gather(
                *(log.events.append("transfer-1", [event()], version) for log in (one, other)),
                return_exceptions=True,
            )
            assert {type(answer) for answer in answers} == {Appended, WrongExpectedVersion}


@pytest.mark.parametrize("altered", ["more", "fewer", "another"])
async def test_the_same_ids_with_something_else_are_no_repetition(
    postgres: str, altered: str
) -> None:
    """What begins or ends as an earlier append did is refused, and adds nothing."""
    async with store_at(postgres, []) as store:
        wanted = events(3)
        await store.append("transfer-1", wanted, NO_STREAM)
        different: dict[str, list[NewEvent]] = {
            "more": [*wanted, event()],
            "fewer": wanted[1:],
            "another": [*wanted[:2], event()],
        }

        with pytest.raises(WrongExpectedVersion):
            await store.append("transfer-1", different[altered], NO_STREAM)

        assert len(await all_of(store.read("transfer-1"))) == 3
