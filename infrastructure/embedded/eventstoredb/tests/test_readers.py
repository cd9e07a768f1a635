"""Many readers of one node: what they hold together is bounded, and they take turns."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from embedded_eventstoredb.errors import EXPECT_ANY
from embedded_eventstoredb.readers import LogReader, Readers, StreamReader
from embedded_eventstoredb.storage import (
    PAGE,
    NewRecord,
    Reading,
    Record,
    Storage,
    Stream,
)
from embedded_eventstoredb.streams import append, read_stream
from waiting import until

COUNT = 600


@pytest.fixture
async def storage() -> AsyncIterator[Storage]:
    """A log of so many events of 1,000 bytes."""
    storage = Storage()
    records = [NewRecord("Happened", b"x" * 1_000) for _ in range(COUNT)]
    await storage.write(lambda transaction: append(transaction, "a", EXPECT_ANY, records))
    yield storage
    storage.close()


def versions(records: Sequence[Record]) -> list[int]:
    return [record.version for record in records]


async def test_readers_hold_little(storage: Storage) -> None:
    """Readers that stop midway hold a bounded share, and each goes on where it was."""
    readers = Readers(held=300_000)
    many = [LogReader(storage, -1, backwards=False) for _ in range(50)]
    taken: list[list[Record]] = [[] for _ in many]
    while len(taken[0]) < COUNT:
        for reader, records in zip(many, taken, strict=True):
            records += await readers.next(reader)
            assert readers.held <= 300_000
    assert [versions(records) for records in taken] == [list(range(COUNT))] * len(many)
    for reader in many:
        assert await readers.next(reader) == []
    assert readers.held == 0


async def test_who_leaves_holds_nothing(storage: Storage) -> None:
    """A reader that ends early gives up what it held."""
    readers = Readers()
    walk = readers.all(LogReader(storage, -1, backwards=False))
    assert len(await anext(walk)) < COUNT
    assert readers.held > 0
    await walk.aclose()
    assert readers.held == 0


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_stream_either_way(storage: Storage, backwards: bool) -> None:
    """A stream is read either way, from a version, to a count."""
    reader = StreamReader(storage, storage.stream("a"), 300, 200, backwards=backwards)
    found = [record async for records in Readers().all(reader) for record in records]
    expected = range(300, 100, -1) if backwards else range(300, 500)
    assert versions(found) == list(expected)


async def test_readers_take_turns() -> None:
    """In one round of the event loop a few callers go on, and every one does in the end."""
    readers = Readers(at_a_time=3)
    done: list[int] = []
    tasks = [asyncio.create_task(go_on(readers, number, done)) for number in range(10)]
    before = 0
    while len(done) < 50:
        await asyncio.sleep(0)
        assert len(done) - before <= 3
        before = len(done)
    await asyncio.gather(*tasks)
    assert sorted(done) == sorted(list(range(10)) * 5)


async def test_who_goes_while_waiting() -> None:
    """A caller that is cancelled before its turn does not block the others."""
    readers = Readers(at_a_time=1)
    await readers.turn("first")
    gone = asyncio.create_task(readers.turn("second"))
    third = asyncio.create_task(readers.turn("third"))
    await asyncio.sleep(0)
    gone.cancel()
    async with asyncio.timeout(60):
        await third


async def test_what_is_too_old_is_passed_over(storage: Storage) -> None:
    """Events past their $maxAge are passed over in a few steps, however many they are."""
    (last,) = storage.read_stream(storage.stream("a"), COUNT - 1)
    await until(lambda: time.time_ns() // 100 > last.created + 10_000_000, every=0.05)
    young = [NewRecord("Happened") for _ in range(3)]
    metadata = [NewRecord("$metadata", b'{"$maxAge":1}', is_json=True)]
    await storage.write(lambda transaction: append(transaction, "a", EXPECT_ANY, young))
    await storage.write(lambda transaction: append(transaction, "$$a", EXPECT_ANY, metadata))
    counting = Counting(storage)
    stream = storage.stream("a")
    for count in (1, 5):
        found = read_stream(counting, stream, 0, limit=count)
        assert versions(found) in ([], [COUNT, COUNT + 1, COUNT + 2][:count])
    assert read_stream(counting, stream, COUNT - 1, backwards=True) == []
    assert counting.reads < 30


class Counting(Reading):
    """Counts what is read of streams."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage._connection)
        self.reads = 0

    def read_stream(
        self, stream: Stream, version: int, *, backwards: bool = False, limit: int = PAGE
    ) -> list[Record]:
        self.reads += 1
        return super().read_stream(stream, version, backwards=backwards, limit=limit)


async def go_on(readers: Readers, number: int, done: list[int]) -> None:
    for _ in range(5):
        await readers.turn(number)
        done.append(number)
        await asyncio.sleep(0)
