"""The contract of ``IncomingRecords``."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from application.ports import Arrival, Arrivals, BusRecord, IncomingRecords
from application.ports.incoming import Headers
from infrastructure import kafka, memory
from tests.kafka_topics import putting
from tests.waiting import PATIENCE, until

Put = Callable[[str, bytes | None, bytes | None, Headers], Awaitable[None]]


@dataclass
class Bus:
    """An adapter, a way to put records to its topics, and names of this test's own."""

    incoming: IncomingRecords
    _put: Put
    topic: str
    group: str

    async def put(self, *names: str, key: str | None = "a", headers: Headers = ()) -> None:
        for name in names:
            await self._put(self.topic, key.encode() if key else None, name.encode(), headers)

    def consume(self, buffer: int = 100) -> AbstractAsyncContextManager[Arrivals]:
        return self.incoming.consume(self.group, [self.topic], buffer=buffer)


@pytest.fixture(params=["memory", "kafka (real)"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    topic, group = f"t{uuid4()}", f"g{uuid4()}"
    if request.param == "memory":
        records = memory.IncomingRecords()
        yield Bus(records, records.put, topic, group)
        return
    address = request.getfixturevalue("kafka")
    async with putting(address, topic) as put:
        yield Bus(kafka.IncomingRecords({"bootstrap.servers": address}), put, topic, group)


async def take(arrivals: Arrivals, count: int) -> list[Arrival]:
    """The next ones, settled or not."""
    async with asyncio.timeout(PATIENCE):
        return [await anext(arrivals) for _ in range(count)]


async def handle(arrivals: Arrivals, count: int) -> list[str]:
    """The names of the next ones, each settled before the next is taken."""
    names = []
    for _ in range(count):
        (arrival,) = await take(arrivals, 1)
        names.append(name(arrival))
        arrival.done()
    return names


def name(arrival: Arrival) -> str:
    return (arrival.record.value or b"").decode()


async def test_records_past_and_future_in_the_order_of_their_partition(bus: Bus) -> None:
    """A group begins with the oldest record; those of one key keep their order."""
    await bus.put("a1", "a2")
    await bus.put("b1", "b2", key="b")
    async with bus.consume() as arrivals:
        first = await handle(arrivals, 4)
        await bus.put("a3")
        assert await handle(arrivals, 1) == ["a3"]

    assert [one for one in first if one[0] == "a"] == ["a1", "a2"]
    assert [one for one in first if one[0] == "b"] == ["b1", "b2"]


async def test_a_record_comes_as_it_was_written(bus: Bus) -> None:
    """Key, value, headers in order and with repetitions, what is null, and where it is."""
    headers: Headers = [("ce_id", b"1"), ("x", b"\xff"), ("x", None), ("empty", b"")]
    await bus.put("a1", headers=headers)
    await bus._put(bus.topic, None, None, ())
    async with bus.consume() as arrivals:
        found: dict[bytes | None, BusRecord] = {}
        for arrival in await take(arrivals, 2):
            found[arrival.record.key] = arrival.record

    record = found[b"a"]
    assert (record.topic, record.offset, record.value) == (bus.topic, 0, b"a1")
    assert list(record.headers) == headers
    assert record.timestamp is not None
    assert (found[None].value, list(found[None].headers)) == (None, [])


async def test_what_is_done_does_not_come_back(bus: Bus) -> None:
    """A consumer that takes over begins after it, and a group knows nothing of another."""
    await bus.put("a1", "a2", "a3")
    async with bus.consume() as arrivals:
        await handle(arrivals, 2)
    async with bus.consume() as arrivals:
        assert await handle(arrivals, 1) == ["a3"]
    async with bus.incoming.consume(f"{bus.group}-2", [bus.topic]) as arrivals:
        assert await handle(arrivals, 1) == ["a1"]


async def test_what_is_not_done_comes_again_with_all_after_it(bus: Bus) -> None:
    """A later one that is done does not let the group pass an earlier one that is not."""
    await bus.put("a1", "a2", "a3")
    async with bus.consume() as arrivals:
        one, _, three = await take(arrivals, 3)
        one.done()
        three.done()
    async with bus.consume() as arrivals:
        assert await handle(arrivals, 2) == ["a2", "a3"]


async def test_records_may_be_settled_in_any_order(bus: Bus) -> None:
    """Once all are done, none comes again."""
    await bus.put("a1", "a2", "a3")
    async with bus.consume() as arrivals:
        for arrival in reversed(await take(arrivals, 3)):
            arrival.done()
        await bus.put("a4")
        assert await handle(arrivals, 1) == ["a4"]
    await bus.put("a5")
    async with bus.consume() as arrivals:
        assert await handle(arrivals, 1) == ["a5"]


async def test_a_dropped_record_comes_again(bus: Bus) -> None:
    """Here, or at the consumer that has its partition then."""
    await bus.put("a1")
    async with bus.consume() as arrivals:
        (arrival,) = await take(arrivals, 1)
        arrival.drop()
        assert await handle(arrivals, 1) == ["a1"]


async def test_a_partition_that_is_full_waits_and_others_go_on(bus: Bus) -> None:
    """At most ``buffer`` records of each are in hand."""
    await bus.put(*(f"a{number}" for number in range(6)))
    async with bus.consume(buffer=2) as arrivals:
        held = await take(arrivals, 2)
        await bus.put("b1", "c1", key="b")
        assert await handle(arrivals, 2) == ["b1", "c1"]
        waiting = asyncio.ensure_future(handle(arrivals, 1))
        assert not waiting.done()
        held[0].done()
        assert await waiting == ["a2"]
        held[1].done()
        assert await handle(arrivals, 3) == ["a3", "a4", "a5"]


async def test_consumers_share_the_partitions(bus: Bus) -> None:
    """Each record is handled by one of them, in the order of its key, also when one leaves."""
    keys = [f"k{number}" for number in range(12)]
    handled: defaultdict[str, list[str]] = defaultdict(list)

    async def work() -> None:
        async with bus.consume() as arrivals:
            async for arrival in arrivals:
                if arrival.lost:
                    arrival.drop()
                    continue
                key = (arrival.record.key or b"").decode()
                handled[key].append(name(arrival))
                arrival.done()

    async def put(rounds: Sequence[int]) -> None:
        for number in rounds:
            for key in keys:
                await bus.put(str(number), key=key)

    tasks = [asyncio.create_task(work()) for _ in range(2)]
    await put(range(5))
    await until(lambda: sum(map(len, handled.values())) >= 60)
    await end(tasks.pop())
    await put(range(5, 10))
    await until(lambda: all("9" in handled[key] for key in keys))
    await end(*tasks)

    for key in keys:
        assert list(dict.fromkeys(handled[key])) == [str(number) for number in range(10)]


async def end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_a_partition_moves_once_its_records_are_settled(bus: Bus) -> None:
    """What is in hand is lost: its consumer begins no more work on it, and what it has done counts.

    The other consumer begins after that.
    """
    for key in "abcdefgh":
        await bus.put(f"{key}1", key=key)
    async with bus.consume() as first:
        held = await take(first, 8)
        async with asyncio.TaskGroup() as tasks, bus.consume() as second:
            reading = tasks.create_task(take(second, 1))
            taking = tasks.create_task(anext(first))
            await until(lambda: any(arrival.lost for arrival in held))
            lost = [arrival for arrival in held if arrival.lost]
            assert not reading.done()
            lost[0].done()
            for arrival in lost[1:]:
                arrival.drop()
            if len(lost) == 1:
                await bus.put("z1", key=(lost[0].record.key or b"").decode())
            (taken,) = await reading
            taken.done()
            taking.cancel()

    assert name(taken) != name(lost[0])


async def test_the_lag_is_what_is_not_done(bus: Bus) -> None:
    """In records, and in seconds since the oldest of them was written."""
    await bus.put("a1", "a2", "a3")
    async with bus.consume() as arrivals:
        held = await take(arrivals, 3)
        held[0].done()
        await until(lambda: arrivals.lags()[bus.topic].records == 2)
        assert (arrivals.lags()[bus.topic].seconds or 0) > 0
        for arrival in held[1:]:
            arrival.done()
        await until(lambda: arrivals.lags()[bus.topic].records == 0)
        assert arrivals.lags()[bus.topic].seconds == 0
        assert arrivals.fault is None
