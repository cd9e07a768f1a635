"""Builds in DynamoDB: as in memory, whatever is done, lost, or done by many at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.ports import StoreUnavailable, WrongRole
from application.projections.builds import WHOLE, Build, Failure, Note, OperatorAction, Role
from infrastructure import memory
from infrastructure.dynamodb import Builds, StoreClock
from infrastructure.dynamodb.client import connect
from infrastructure.dynamodb.read_models import book as pure
from infrastructure.dynamodb.read_models.book import Book, Change
from infrastructure.dynamodb.tables import COORDINATION
from tests.contracts.test_builds import REPORT, declared
from tests.dynamodb.faults import Faults, answer_lost, in_conflict, short_page, throttled
from tests.dynamodb.opened import database

NOTE = Note("ann", "it has to be", datetime(2026, 1, 1, tzinfo=UTC))
V1, V2, FIRST = declared(1), declared(2), Build("boxes", 1)
EVENTS = [UUID(int=number) for number in range(2)]

Step = tuple[Callable[[Book], Change], Callable[[memory.Builds], Awaitable[object]]]


def _failure(event: UUID) -> Failure:
    return Failure(7, event, "E s@0", "LookupError", NOTE.at)


def _steps(build: Build, event: UUID) -> list[Step]:
    """Everything that can be done, to a book and to the builds in memory."""
    return [
        (lambda book: pure.begun(book, V1, NOTE), lambda builds: builds.begin(V1, NOTE)),
        (lambda book: pure.begun(book, V2, NOTE), lambda builds: builds.begin(V2, NOTE)),
        (lambda book: pure.swapped(book, build, NOTE), lambda builds: builds.swap(build, NOTE)),
        (lambda book: pure.rolled_back(book, NOTE), lambda builds: builds.rollback("boxes", NOTE)),
        (lambda book: pure.dropped(book, build, NOTE), lambda builds: builds.drop(build, NOTE)),
        (lambda book: pure.retried(book, build, NOTE), lambda builds: builds.retry(build, NOTE)),
        (lambda book: pure.paused(book, build, NOTE), lambda builds: builds.pause(build, NOTE)),
        (lambda book: pure.resumed(book, build, NOTE), lambda builds: builds.resume(build, NOTE)),
        (
            lambda book: pure.failed(book, build, 0, _failure(event)),
            lambda builds: builds.fail(build, WHOLE, _failure(event)),
        ),
        (
            lambda book: pure.skipping(book, build, event, NOTE),
            lambda builds: builds.skip(build, event, NOTE),
        ),
    ]


builds = st.builds(Build, st.just("boxes"), st.integers(1, 2), st.integers(1, 3))
steps = st.tuples(builds, st.sampled_from(EVENTS)).flatmap(lambda of: st.sampled_from(_steps(*of)))


@given(st.lists(steps, max_size=25))
def test_a_book_does_what_builds_in_memory_do(done: list[Step]) -> None:
    """Whatever is done in whatever order: the same builds, roles, failures, actions and errors."""
    asyncio.run(_compared(done))


async def _compared(done: list[Step]) -> None:
    kept, actions = memory.Builds(), list[OperatorAction]()
    await kept.register([V1])
    book = pure.registered(Book(name="boxes"), V1).book
    for change, call in done:
        changed, refused = _changed(change, book), await _refused(call(kept))
        if isinstance(changed, str):
            assert changed == refused
            continue
        assert refused is None
        book = Book.model_validate_json(changed.book.model_dump_json())
        actions += filter(None, [changed.action])

    assert {of.build: (of.role, of.paused, of.failure) for of in await kept.standings()} == {
        book.build(one): (one.role, one.paused, one.failures.get(0)) for one in book.entries
    }
    assert await kept.actions("boxes") == actions[::-1]


def _changed(change: Callable[[Book], Change], book: Book) -> Change | str:
    """What comes of it, or why it is refused."""
    try:
        return change(book)
    except WrongRole as error:
        return str(error)


async def _refused(call: Awaitable[object]) -> str | None:
    try:
        await call
    except WrongRole as error:
        return str(error)
    return None


@pytest.fixture
async def lossy(dynamodb: str) -> AsyncIterator[tuple[Builds, Faults]]:
    """Builds behind faults; the client repeats a call, as in the service."""
    faults = Faults()
    async with (
        database(dynamodb, tables=[COORDINATION]) as plain,
        connect(endpoint=dynamodb, prefix=plain.prefix, http=faults.session) as opened,
    ):
        yield Builds(opened, StoreClock.of(opened)), faults


async def test_a_lost_answer_does_not_repeat_a_swap(lossy: tuple[Builds, Faults]) -> None:
    """The client sends the transaction again with its token. It has been carried out once."""
    builds, faults = lossy
    await builds.register([V1])
    build = await builds.begin(V2, NOTE)
    faults.only(answer_lost, "TransactWriteItems", times=1)

    await builds.swap(build, NOTE)

    assert [one.action for one in await builds.actions("boxes")] == ["swap", "deploy"]


async def test_a_conflict_is_tried_again(lossy: tuple[Builds, Faults]) -> None:
    """Another transaction on the book says nothing about the roles. Throttling that lasts raises
    ``StoreUnavailable``, and changes nothing."""
    builds, faults = lossy
    await builds.register([V1])
    faults.only(in_conflict, "TransactWriteItems", times=2)
    await builds.pause(FIRST, NOTE)

    faults.only(throttled, "GetItem")
    with pytest.raises(StoreUnavailable):
        await builds.resume(FIRST, NOTE)
    faults.only(throttled, "GetItem", times=0)
    assert (await builds.standings())[0].paused == NOTE


async def test_standings_are_whole_over_cut_pages(lossy: tuple[Builds, Faults]) -> None:
    """Where each page has one item, every shard of every build is there."""
    builds, faults = lossy
    await builds.register([declared(1, shards=3)])
    faults.only(short_page)

    (standing,) = await builds.standings("boxes")

    assert [of.shard.index for of in standing.shards] == [0, 1, 2]


async def test_of_many_operators_each_sees_what_the_others_did(
    lossy: tuple[Builds, Faults],
) -> None:
    """Swaps and rollbacks at once: there is one live build at every moment, and each action that
    succeeded is recorded once."""
    builds, _ = lossy
    await builds.register([V1])
    build = await builds.begin(V2, NOTE)

    tries = [builds.swap(build, NOTE) for _ in range(3)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["NoneType", "WrongRole", "WrongRole"]
    await asyncio.gather(*(builds.rollback("boxes", NOTE) for _ in range(4)))

    roles = {of.build: of.role for of in await builds.standings()}
    assert roles == {build: Role.LIVE, FIRST: Role.PREVIOUS}
    actions = [one.action for one in await builds.actions("boxes")]
    assert actions == ["rollback"] * 4 + ["swap", "deploy"]


async def test_the_lease_of_a_dropped_build_is_gone(lossy: tuple[Builds, Faults]) -> None:
    """Its runner gets it no more, and its release makes no runner."""
    builds, _ = lossy
    await builds.register([V1])
    build = await builds.begin(V2, NOTE)
    assert await builds.claim({(build, WHOLE): REPORT}, seconds=60)

    await builds.drop(build, NOTE)

    assert not await builds.claim({(build, WHOLE): REPORT}, seconds=60)
    await builds.release(build, WHOLE, "one")
    assert not await builds.claim({(build, WHOLE): REPORT}, seconds=60)


async def test_more_shards_than_a_transaction_takes_are_refused(
    lossy: tuple[Builds, Faults],
) -> None:
    """With their number and the largest one. 96 fit."""
    builds, _ = lossy
    with pytest.raises(ValueError, match=r"boxes has 97 shards: in DynamoDB .* at most 96"):
        await builds.register([declared(1, shards=97)])

    await builds.register([declared(1, shards=96)])
    assert len((await builds.standings())[0].shards) == 96
