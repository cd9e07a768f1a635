"""The forwarder publishes to Kafka, beside the bare client with the same records.

The bare client has the records ready, in transactions of the same size, each with a position. Our
publisher has the integration events, and makes records of them. The forwarder also reads the events
of a log in memory, decodes and translates them. Rates are those after the first commit.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import median
from uuid import uuid4

from confluent_kafka import Producer
from prometheus_client import CollectorRegistry

from application.event_filter import EventFilter
from application.forwarding import BATCH, Forwarder
from application.integration_events import Outgoing
from application.log_end import LogEnd
from application.messages import Context, RecordedEvent
from application.ports import NO_STREAM, ForwarderStanding, Progress
from application.shop.service import SHOP
from application.writability import Writability
from domain.speed import replace
from domain.stock import StockReceived
from infrastructure import kafka, memory
from infrastructure.forwarder_metrics import ForwarderMetrics
from infrastructure.kafka.cloud_events import headers
from infrastructure.kafka.publishing import CONFIG
from tests.kafka_topics import committed, settings
from tests.projection_specification import at
from tests.servers import KAFKA, NotHere, started
from tests.waiting import until_true

SKUS, EACH = 100, 200
EVENTS = SKUS * EACH
TURNS = 5
TOPIC, POSITIONS = "headwater.stock", "headwater-forwarder"


def main() -> None:
    """Measure and print; takes about a minute."""
    try:
        KAFKA.require()
    except NotHere as missing:
        print(f"not measured: Kafka {missing}")
        return
    with started(KAFKA) as server:
        asyncio.run(measure(server.address))


async def measure(brokers: str) -> None:
    events = (await received()).after(-1, EVENTS)
    outgoing = [one for event in events for one in SHOP.contract.outgoing(event)]
    rates = [
        (
            await asyncio.to_thread(bare, brokers, outgoing),
            await published(brokers, outgoing),
            await forwarded(brokers),
        )
        for _ in range(TURNS)
    ]
    bares, *ours = zip(*rates, strict=True)
    print(f"bare client: {max(bares):,.0f} records/s")
    for name, mine in zip(("publisher", "forwarder"), ours, strict=True):
        ratio = median(one / bare for one, bare in zip(mine, bares, strict=True))
        print(f"{name}: {max(mine):,.0f} records/s; ratio {ratio:.2f}")


async def received() -> memory.EventStore:
    """A log of deliveries, each an integration event."""
    log, context = memory.EventStore(SHOP.catalogue), Context.start("a test", uuid4(), at(0))
    event = StockReceived(receipt_id="r-1", quantity=6)
    for sku in range(SKUS):
        new = [SHOP.catalogue.new_event(event, uuid4(), context) for _ in range(EACH)]
        await log.append(f"stock-{sku}", new, NO_STREAM)
    return log


def bare(brokers: str, outgoing: Sequence[Outgoing]) -> float:
    prefix = asyncio.run(topics(brokers))
    records = [(one.topic, one.key, one.event.data, headers(one.event)) for one in outgoing]
    seen = Commits()
    producer = Producer({**settings(brokers), **CONFIG, "transactional.id": prefix})
    producer.init_transactions(30)
    for first in range(0, len(records), BATCH):
        producer.begin_transaction()
        for topic, key, value, attributes in records[first : first + BATCH]:
            producer.produce(f"{prefix}{topic}", value, key, headers=attributes)
        producer.produce(f"{prefix}{POSITIONS}", b"x" * 300, b"position")
        producer.commit_transaction(30)
        seen.published(BATCH)
    return seen.rate


async def published(brokers: str, outgoing: Sequence[Outgoing]) -> float:
    seen, standing = Commits(), ForwarderStanding(0, None, 0, at(0), "here")
    async with bus_of(brokers, await topics(brokers)).publisher() as publisher:
        for first in range(0, len(outgoing), BATCH):
            batch = outgoing[first : first + BATCH]
            await publisher.publish(batch, standing)
            seen.published(len(batch))
    return seen.rate


async def forwarded(brokers: str) -> float:
    log, prefix, seen = await received(), await topics(brokers), Commits()
    bus, subscriptions = bus_of(brokers, prefix), Fresh(log)
    gc.freeze()  # as the service does at its start
    forwarder = Forwarder(
        SHOP.contract,
        subscriptions,
        log,
        None,
        bus,
        memory.Leases(),
        LogEnd(subscriptions, Writability(log, "here")),
        seen,
        holder="here",
    )
    task = asyncio.create_task(forwarder.run())

    async def is_there() -> bool:
        return forwarder.status().position == log.last_position

    await until_true(is_there)
    task.cancel()
    await asyncio.wait([task])
    assert len(committed(brokers, f"{prefix}{TOPIC}")) == EVENTS
    return seen.rate


class Commits(ForwarderMetrics):
    """Counts as a forwarder does, and notes when."""

    def __init__(self) -> None:
        super().__init__(CollectorRegistry())
        self._all: list[tuple[float, int]] = []

    def published(self, records: int) -> None:
        super().published(records)
        self._all.append((time.perf_counter(), records))

    @property
    def rate(self) -> float:
        (began, _), *later = self._all
        return sum(records for _, records in later) / (later[-1][0] - began)


class Fresh(memory.Subscriptions):
    """Makes each event anew, as a store does; so nothing is decoded, or kept, between turns."""

    @asynccontextmanager
    async def catch_up(
        self, *, after: int | None, only: EventFilter
    ) -> AsyncIterator[AsyncIterator[RecordedEvent | Progress]]:
        async def fresh() -> AsyncIterator[RecordedEvent | Progress]:
            async for one in messages:
                yield replace(one) if isinstance(one, RecordedEvent) else one

        async with super().catch_up(after=after, only=only) as messages:
            yield fresh()


def bus_of(brokers: str, prefix: str) -> kafka.Bus:
    return kafka.Bus(settings(brokers), SHOP.name, SHOP.contract.topics, prefix)


async def topics(brokers: str) -> str:
    """The prefix of new ones."""
    prefix = f"{uuid4()}."
    await bus_of(brokers, prefix).create_topics(3, 1)
    return prefix


if __name__ == "__main__":
    main()
