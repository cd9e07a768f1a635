"""The contract of ``EventStore``."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from json import loads
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.messages import NewEvent
from application.ports import NO_STREAM, Appended, EventStore, WrongExpectedVersion
from tests.contracts.made_up import all_of, event, events, name
from tests.contracts.stores import Stores


@pytest.fixture
def store(stores: Stores) -> EventStore:
    return stores.events


async def test_events_are_read_as_they_were_appended(store: EventStore) -> None:
    """Ids and types are the same, data and metadata are the same JSON, and versions count from
    0."""
    stream, appended = name("order"), events(3, "Noted")
    before = datetime.now(UTC) - timedelta(seconds=1)

    await store.append(stream, appended, NO_STREAM)

    recorded = await all_of(store.read(stream))
    assert [(one.id, one.type, loads(one.data), one.metadata) for one in recorded] == [
        (one.id, one.type, loads(one.data), one.metadata) for one in appended
    ]
    assert [(one.command_id, one.schema_version) for one in recorded] == [
        (one.metadata.command_id, one.metadata.schema_version) for one in appended
    ]
    assert [(one.stream, one.version) for one in recorded] == [(stream, n) for n in range(3)]
    assert all(before < one.recorded_at < before + timedelta(minutes=1) for one in recorded)


async def test_a_stream_that_does_not_exist_has_no_events(store: EventStore) -> None:
    """Reading it is not an error, in either direction."""
    assert await all_of(store.read(name())) == []
    assert await all_of(store.read(name(), backwards=True)) == []


async def test_an_append_says_where_its_last_event_stands(store: EventStore) -> None:
    """It returns the version and the position that reading shows."""
    stream = name()

    appended = [
        await store.append(stream, events(3), NO_STREAM),
        await store.append(stream, events(2), 2),
    ]

    recorded = await all_of(store.read(stream))
    assert appended == [Appended(n, recorded[n].position) for n in (2, 4)]


async def test_positions_order_the_events_of_all_streams(store: EventStore) -> None:
    """A later append has a higher position, whatever its stream."""
    positions = [(await store.append(name(), events(2), NO_STREAM)).position for _ in range(5)]

    assert positions == sorted(set(positions))


@pytest.mark.parametrize(
    ("there", "expected"), [(0, 0), (0, 7), (2, NO_STREAM), (2, 0), (2, 2), (2, 7)]
)
async def test_an_append_to_another_version_is_refused(
    store: EventStore, there: int, expected: int
) -> None:
    """The error names the actual version, and nothing is written."""
    stream = name()
    if there:
        await store.append(stream, events(there), NO_STREAM)

    with pytest.raises(WrongExpectedVersion) as refusal:
        await store.append(stream, events(2), expected)

    assert (refusal.value.stream, refusal.value.expected) == (stream, expected)
    assert refusal.value.actual == there - 1
    assert len(await all_of(store.read(stream))) == there


@pytest.mark.parametrize("version", [-2, -4])
async def test_any_version_cannot_be_expected(store: EventStore, version: int) -> None:
    """A version below ``NO_STREAM`` raises ``ValueError``, so the check cannot be avoided."""
    with pytest.raises(ValueError, match="-1 or more"):
        await store.append(name(), [event()], version)


async def test_an_append_of_nothing_is_a_mistake(store: EventStore) -> None:
    """An append without events raises ``ValueError``, since it has no position to return."""
    with pytest.raises(ValueError, match="1 event or more"):
        await store.append(name(), [], NO_STREAM)


async def test_repeating_an_append_changes_nothing(store: EventStore) -> None:
    """The same ids at the same version return the first result, whatever was appended since."""
    stream, first, second = name(), events(2), events(3)
    answers = [await store.append(stream, first, NO_STREAM), await store.append(stream, second, 1)]

    repeated = [await store.append(stream, first, NO_STREAM), await store.append(stream, second, 1)]

    assert repeated == answers
    recorded = await all_of(store.read(stream))
    assert [one.id for one in recorded] == [one.id for one in [*first, *second]]


async def test_after_a_repetition_appending_goes_on(store: EventStore) -> None:
    """The version that a repeated append returns is the one to expect next."""
    stream, first = name(), events(2)
    await store.append(stream, first, NO_STREAM)
    repeated = await store.append(stream, first, NO_STREAM)

    await store.append(stream, [event()], repeated.version)

    assert [one.version for one in await all_of(store.read(stream))] == [0, 1, 2]


async def test_an_append_that_was_made_in_part_is_no_repetition(store: EventStore) -> None:
    """With one more event, or another one, it is a new append at an old version, and is refused."""
    stream, first = name(), events(2)
    await store.append(stream, first, NO_STREAM)

    for altered in ([*first, event()], [first[0], event()], [event(), first[1]]):
        with pytest.raises(WrongExpectedVersion):
            await store.append(stream, altered, NO_STREAM)

    assert len(await all_of(store.read(stream))) == 2


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("from_version", [0, 2, 4, 5, 9])
@pytest.mark.parametrize("limit", [None, 0, 1, 3, 9])
async def test_a_part_of_a_stream(
    store: EventStore, from_version: int, limit: int | None, backwards: bool
) -> None:
    """Reading starts at ``from_version``, goes in either direction, and ends after ``limit``
    events."""
    stream = name()
    await store.append(stream, events(5), NO_STREAM)

    part = await all_of(
        store.read(stream, from_version=from_version, backwards=backwards, limit=limit)
    )

    versions = list(range(from_version, 5))
    expected = (versions[::-1] if backwards else versions)[:limit]
    assert [one.version for one in part] == expected


async def test_reading_may_be_given_up(store: EventStore) -> None:
    """A reader may stop before the end, and the store continues to work."""
    stream = name()
    await store.append(stream, events(500), NO_STREAM)

    async for recorded in store.read(stream):
        if recorded.version == 3:
            break

    assert len(await all_of(store.read(stream))) == 500


@pytest.mark.parametrize("id", ["BANK CHARGES", "85123A-b", "ñandú €", "a/b?c=d%20e", "x" * 200])
async def test_stream_names_are_taken_as_they_are(store: EventStore, id: str) -> None:
    """Names with spaces, dashes or other scripts each have a stream of their own."""
    stream = f"{name('stock')}-{id}"

    await store.append(stream, [event()], NO_STREAM)

    assert [one.stream for one in await all_of(store.read(stream))] == [stream]
    assert await all_of(store.read(stream.lower() + " ")) == []


async def test_large_events_and_many(store: EventStore) -> None:
    """An append may have 2,000 events, or one of 900 kB."""
    many, large = name(), name()
    data = b'{"note":"' + b"x" * 900_000 + b'"}'

    await store.append(many, appended := events(2_000), NO_STREAM)
    await store.append(large, [event(data=data)], NO_STREAM)

    found = [loads(one.data) for one in await all_of(store.read(many))]
    assert found == [loads(one.data) for one in appended]
    assert [loads(one.data) for one in await all_of(store.read(large))] == [loads(data)]


async def test_of_50_concurrent_writers_one_wins_each_version(store: EventStore) -> None:
    """All expect the same version: one append succeeds, and 49 get an error with the actual
    version."""
    stream = name()
    for version in range(-1, 4):
        outcomes = await asyncio.gather(
            *(store.append(stream, [event()], version) for _ in range(50)),
            return_exceptions=True,
        )

        won = [one for one in outcomes if isinstance(one, Appended)]
        lost = [one for one in outcomes if isinstance(one, WrongExpectedVersion)]
        assert [one.version for one in won] == [version + 1]
        assert [one.actual for one in lost] == [version + 1] * 49

    assert [one.version for one in await all_of(store.read(stream))] == list(range(5))


@given(
    writers=st.lists(
        st.lists(st.integers(min_value=1, max_value=3), min_size=1, max_size=4),
        min_size=2,
        max_size=6,
    ),
    impatient=st.booleans(),
)
@settings(
    max_examples=15,
    deadline=None,  # a socket decides
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has its own stream
)
async def test_concurrent_writers_lose_and_double_nothing(
    store: EventStore, writers: list[list[int]], impatient: bool
) -> None:
    """Under concurrent and repeated appends, each acknowledged event is there exactly once, batches
    are whole, versions have no gap, and positions agree with versions."""
    stream = name()

    batches = await asyncio.gather(
        *(_write(store, stream, sizes, impatient=impatient) for sizes in writers)
    )

    recorded = await all_of(store.read(stream))
    ids = [one.id for one in recorded]
    acknowledged = [batch for written in batches for batch in written]
    assert Counter(ids) == Counter(id for batch in acknowledged for id in batch)
    assert all(
        ids[(at := ids.index(batch[0])) : at + len(batch)] == batch for batch in acknowledged
    )
    assert [one.version for one in recorded] == list(range(len(ids)))
    positions = [one.position for one in recorded]
    assert positions == sorted(set(positions))


async def _write(
    store: EventStore, stream: str, sizes: list[int], *, impatient: bool
) -> list[list[UUID]]:
    """Append batches of these sizes, each as often as it takes; the ids that were acknowledged."""
    version, acknowledged = NO_STREAM, []
    for size in sizes:
        batch = events(size)
        version = await _append(store, stream, batch, version)
        if impatient:
            repeated = await store.append(stream, batch, version - size)
            assert repeated.version == version
        acknowledged.append([one.id for one in batch])
    return acknowledged


async def _append(store: EventStore, stream: str, batch: list[NewEvent], version: int) -> int:
    for _ in range(100):  # the others together do not write as often
        try:
            return (await store.append(stream, batch, version)).version
        except WrongExpectedVersion as refusal:
            version = refusal.actual
    raise AssertionError("refused again and again, at whatever version")
