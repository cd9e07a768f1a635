"""Drills on a real broker: consumers are killed, transactions are aborted, the broker is away."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from uuid import uuid4

import psutil
from confluent_kafka import Producer

from infrastructure import kafka
from tests.infrastructure.kafka_consumer import BRIEF
from tests.kafka_topics import Put, create, putting
from tests.servers import KAFKA, Started, require_here
from tests.waiting import PATIENCE, until

PUT_AT_ONCE = 300


class Consumers:
    """Processes of one group, and what each has printed."""

    def __init__(self, address: str, topic: str, directory: Path) -> None:
        self._arguments = [address, topic, f"g{uuid4()}"]
        self._directory, self._number = directory, count()
        self._all: list[psutil.Popen] = []

    def start(self) -> psutil.Popen:
        command = [sys.executable, "-m", "tests.infrastructure.kafka_consumer", *self._arguments]
        with self._output(next(self._number)).open("w") as output:
            started = psutil.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        self._all.append(started)
        return started

    def kill(self) -> None:
        for process in self._all:
            process.kill()
            process.wait(PATIENCE)

    @property
    def printed(self) -> list[str]:
        """The lines of all, those of the first process first."""
        outputs = sorted(self._directory.glob("consumer-*.txt"))
        return [line for output in outputs for line in output.read_text().splitlines()]

    def printed_by(self, number: int) -> str:
        return self._output(number).read_text()

    def _output(self, number: int) -> Path:
        return self._directory / f"consumer-{number}.txt"


@contextmanager
def consumers(address: str, topic: str, directory: Path) -> Iterator[Consumers]:
    started = Consumers(address, topic, directory)
    try:
        yield started
    finally:
        started.kill()


@asynccontextmanager
async def topic_with(address: str, partitions: int = 3) -> AsyncIterator[tuple[str, Put]]:
    topic = f"t{uuid4()}"
    async with putting(address, topic, partitions=partitions) as put:
        yield topic, put


async def test_a_record_that_kills_its_consumers_is_found(kafka: str, tmp_path: Path) -> None:
    """The third death is the last one; records before, beside and after it are handled."""
    async with topic_with(kafka) as (topic, put):
        for key in "abcdef":
            await put(topic, key.encode(), b"deadly" if key == "c" else key.encode(), ())
        await put(topic, b"c", b"after", ())
        with consumers(kafka, topic, tmp_path) as group:
            deaths = 0
            consumer = group.start()
            while "parked deadly" not in group.printed and deaths < 10:
                if not consumer.is_running() or consumer.status() == psutil.STATUS_ZOMBIE:
                    deaths, consumer = deaths + 1, group.start()
                await asyncio.sleep(0.01)
            await until(lambda: "handled after" in group.printed, every=0.01)
            printed = group.printed

    assert 3 <= deaths <= 4  # one more, if it was not the first one of its partition
    assert [line for line in printed if line.startswith("parked")] == ["parked deadly"]
    handled = {line.removeprefix("handled ") for line in printed if line.startswith("handled")}
    assert handled == {"a", "b", "d", "e", "f", "after"}


async def test_a_consumer_that_is_killed_under_load_loses_nothing(
    kafka: str, tmp_path: Path
) -> None:
    """It dies while a second one joins, and a third one after that: each record is handled.

    Each process handles those of a key in their order.
    """
    keys = "abcdef"
    async with topic_with(kafka) as (topic, put):
        with consumers(kafka, topic, tmp_path) as group:
            first = group.start()
            for number in range(PUT_AT_ONCE // len(keys)):
                for key in keys:
                    await put(topic, key.encode(), f"{key}{number}".encode(), ())
                if number == 10:
                    await until(lambda: "handled" in group.printed_by(0), every=0.01)
                    group.start()
                if number == 20:
                    first.kill()
                    group.start()
            wanted = {f"handled {key}{n}" for key in keys for n in range(PUT_AT_ONCE // len(keys))}
            await until(lambda: wanted <= {*group.printed}, every=0.05)
            by_process = [group.printed_by(number).splitlines() for number in range(3)]

    for key in keys:
        for printed in by_process:
            numbers = [int(line[9:]) for line in printed if line.startswith(f"handled {key}")]
            assert numbers == sorted(numbers)


async def test_an_aborted_transaction_is_not_seen(kafka: str) -> None:
    """Nor does it hold up what is committed after it; what is still open is not seen yet."""
    topic = f"t{uuid4()}"
    await asyncio.to_thread(create, kafka, topic, partitions=1)
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": topic})
    await asyncio.to_thread(producer.init_transactions)
    async with incoming(kafka).consume("g" + topic, [topic]) as arrivals:
        for value, end in (("aborted", producer.abort_transaction), ("one", None)):
            producer.begin_transaction()
            producer.produce(topic, value, "a")
            await asyncio.to_thread(producer.flush)
            if end:
                await asyncio.to_thread(end)
        taking = asyncio.ensure_future(anext(arrivals))
        await until(lambda: bool(arrivals.lags()))
        assert not taking.done()
        await asyncio.to_thread(producer.commit_transaction)
        async with asyncio.timeout(PATIENCE):
            assert (await taking).record.value == b"one"


async def test_a_topic_that_is_missing_is_named_until_it_is_there(kafka: str) -> None:
    """It belongs to another party, so it is not created here."""
    topic = f"t{uuid4()}"
    async with incoming(kafka).consume("g" + topic, [topic]) as arrivals:
        await until(lambda: (arrivals.fault or "").startswith(f"there is no topic {topic}"))
        async with putting(kafka, topic) as put:
            await put(topic, b"a", b"1", ())
            async with asyncio.timeout(PATIENCE):
                assert (await anext(arrivals)).record.value == b"1"
        await until(lambda: arrivals.fault is None)


async def test_a_broker_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """The consumer says what is wrong meanwhile, and goes on after what was done before."""
    require_here(KAFKA)
    broker = await asyncio.to_thread(Started, KAFKA, tmp_path)
    try:
        await _ready(broker)
        async with (
            topic_with(broker.address) as (topic, put),
            incoming(broker.address).consume("a-group", [topic]) as arrivals,
        ):
            await put(topic, b"a", b"1", ())
            async with asyncio.timeout(PATIENCE):
                (await anext(arrivals)).done()
            await until(lambda: arrivals.lags()[topic].records == 0)
            broker.kill()
            await until(lambda: arrivals.fault is not None)
            assert (arrivals.fault or "").startswith("bootstrap.servers: ")
            await asyncio.to_thread(broker.start_again)
            await _ready(broker)
            await put(topic, b"a", b"2", ())
            async with asyncio.timeout(PATIENCE):
                arrival = await anext(arrivals)
                while arrival.record.value == b"1":  # its offset was not committed yet
                    arrival.done()
                    arrival = await anext(arrivals)
            assert arrival.record.value == b"2"
            await until(lambda: arrivals.fault is None)
    finally:
        broker.stop()


async def _ready(broker: Started) -> None:
    await until(lambda: KAFKA.is_ready(broker.address), every=0.1)


def incoming(address: str) -> kafka.IncomingRecords:
    return kafka.IncomingRecords({"bootstrap.servers": address, **BRIEF})
