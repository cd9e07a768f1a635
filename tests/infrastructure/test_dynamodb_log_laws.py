"""Many writers and readers on DynamoDB, with faults: nothing is lost, doubled or passed over."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.messages import RecordedEvent
from application.ports import NO_STREAM, StoreUnavailable, WrongExpectedVersion
from tests.contracts.dynamodb_events import stores_in
from tests.contracts.made_up import all_of, events, name, only
from tests.contracts.stores import Stores
from tests.dynamodb.faults import ALL, Fault, Faults, SentLate, answer_lost, in_turn, passes
from tests.dynamodb.opened import database
from tests.waiting import PATIENCE


async def write(stores: Stores, stream: str, type: str, appends: int) -> list[str]:
    """Append, and repeat what is not answered, as the dispatcher does; the ids in their order."""
    written: list[str] = []
    version = NO_STREAM
    for _ in range(appends):
        batch = events(2, type)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    version = (await stores.events.append(stream, batch, version)).version
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.01)
        written += [str(one.id) for one in batch]
    return written


async def follow(stores: Stores, type: str, count: int) -> list[RecordedEvent]:
    """As many events, subscribing again after the last one when the store does not answer."""
    seen: list[RecordedEvent] = []
    async with asyncio.timeout(PATIENCE):
        while len(seen) < count:
            after = seen[-1].position if seen else None
            try:
                async with stores.subscriptions.catch_up(after=after, only=only(type)) as items:
                    async for item in items:
                        if isinstance(item, RecordedEvent):
                            seen.append(item)
                            if len(seen) == count:
                                break
            except StoreUnavailable:
                await asyncio.sleep(0.01)
    return seen


@given(faults=st.lists(st.sampled_from(ALL), min_size=5, max_size=60))
@settings(
    max_examples=12,
    deadline=None,  # a socket decides
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has its own tables
)
async def test_under_faults_readers_see_what_writers_wrote(
    dynamodb: str, faults: list[Fault]
) -> None:
    """Two processes write and two follow, while answers get lost and calls are refused. Each stream
    has its events once and in order, readers see all of them in the order of their positions, and
    positions have no gap."""
    layers = [Faults(), Faults()]
    type, streams = name("Noted"), [name() for _ in range(4)]
    async with (
        database(dynamodb, layers[0]) as one,
        database(dynamodb, layers[1], prefix=one.prefix) as other,
    ):
        both = [stores_in(one), stores_in(other)]
        for layer in layers:
            layer.next = in_turn(faults)
        async with asyncio.TaskGroup() as group:
            reading = [group.create_task(follow(stores, type, 4 * 3 * 2)) for stores in both]
            writing = [
                group.create_task(write(both[number % 2], stream, type, 3))
                for number, stream in enumerate(streams)
            ]
        for layer in layers:
            layer.next = passes
        stored = [await all_of(both[0].events.read(stream)) for stream in streams]

    assert [[str(e.id) for e in stream] for stream in stored] == [w.result() for w in writing]
    in_order = sorted((e for stream in stored for e in stream), key=lambda e: e.position)
    assert [task.result() for task in reading] == [in_order, in_order]
    assert [e.position for e in in_order] == list(range(len(in_order)))


async def test_a_bad_append_fails_alone(dynamodb: str) -> None:
    """Of appends that share a transaction, those at a wrong version are refused, and their
    neighbours are stored."""
    async with database(dynamodb) as db:
        stores = stores_in(db)
        taken, fresh = name(), [name() for _ in range(5)]
        await stores_in(db).events.append(taken, events(1), NO_STREAM)

        answers = await asyncio.gather(
            *(stores.events.append(stream, events(1), NO_STREAM) for stream in (taken, *fresh)),
            return_exceptions=True,
        )

        assert isinstance(answers[0], WrongExpectedVersion)
        assert not [one for one in answers[1:] if isinstance(one, BaseException)]


async def test_a_request_that_arrives_late_changes_nothing(dynamodb: str) -> None:
    """The client gave it up and made the append again; what arrives after that is refused."""
    faults, late = Faults(), SentLate()
    async with database(dynamodb, faults) as db:
        stores, stream, batch = stores_in(db), name(), events(2)
        faults.only(late, "TransactWriteItems", times=1)
        appended = await stores.events.append(stream, batch, NO_STREAM)
        (arrived,) = await late.arrive()

        assert arrived.document["__type"].endswith("TransactionCanceledException")
        assert [e.id for e in await all_of(stores.events.read(stream))] == [e.id for e in batch]
        assert await stores.facts.head() == appended.position == 1


async def test_what_the_client_repeats_by_itself_is_made_once(dynamodb: str) -> None:
    """As it is set for AWS: it sends a transaction again whose answer was lost."""
    faults = Faults()
    async with database(dynamodb, faults, attempts=3) as db:
        stores, stream, batch = stores_in(db), name(), events(2)
        faults.only(answer_lost, "TransactWriteItems", times=1)
        appended = await stores.events.append(stream, batch, NO_STREAM)

        assert appended.version == 1
        assert [e.id for e in await all_of(stores.events.read(stream))] == [e.id for e in batch]
        assert await stores.facts.head() == appended.position == 1
