"""The EventStoreDB adapter beside bare esdbclient, on one embedded node.

    python -m tests.shop.benchmarks.event_store

Rates say what this machine does. Ratios say what the adapter costs: they compare the processor time
of this process, so that they hold on other machines, and on one that is busy with other things.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median

from esdbclient import NewEvent as BareEvent
from esdbclient import StreamState

from application.messages import NewEvent, RecordedEvent
from application.ports import NO_STREAM
from application.shop.service import SHOP
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb
from infrastructure.eventstoredb import Client, EventStore, Subscriptions
from tests.contracts.made_up import event, name, only

APPENDS = 300
BACKLOG = 10_000
ROUNDS = 7
DATA = b'{"note":"' + b"x" * 230 + b'"}'


def bare(event: NewEvent) -> BareEvent:
    return BareEvent(
        id=event.id, type=event.type, data=event.data, metadata=event.metadata.to_json()
    )


@dataclass(frozen=True)
class Taken:
    """Seconds by the clock, and of the processor."""

    clock: float
    processor: float


async def taken(work: Awaitable[None]) -> Taken:
    clock, processor = time.perf_counter(), time.process_time()
    await work
    return Taken(time.perf_counter() - clock, time.process_time() - processor)


async def compare(
    what: str,
    count: int,
    ours: Callable[[], Awaitable[None]],
    theirs: Callable[[], Awaitable[None]],
) -> None:
    """Both in turns: the best rate of each, and how their median costs compare."""
    turns = [(await taken(ours()), await taken(theirs())) for _ in range(ROUNDS)]
    rates = [count / min(turn[side].clock for turn in turns) for side in (0, 1)]
    costs = [median(turn[side].processor for turn in turns) for side in (0, 1)]
    ratio = costs[1] / costs[0]
    print(f"{what:28} {rates[0]:8,.0f}/s   bare {rates[1]:8,.0f}/s   ratio {ratio:.2f}")


async def append_in_turn(store: EventStore, appended: Sequence[NewEvent]) -> None:
    stream = name()
    for version, one in enumerate(appended, NO_STREAM):
        await store.append(stream, [one], version)


async def append_in_turn_bare(client: Client, appended: Sequence[NewEvent]) -> None:
    stream = name()
    for version, one in enumerate(appended, NO_STREAM):
        expected = StreamState.NO_STREAM if version == NO_STREAM else version
        await client.append_to_stream(stream, current_version=expected, events=[bare(one)])


async def append_at_once(store: EventStore, appended: Sequence[NewEvent]) -> None:
    waiting = iter(appended)

    async def writer() -> None:
        for one in waiting:
            await store.append(name(), [one], NO_STREAM)

    await asyncio.gather(*(writer() for _ in range(50)))


async def append_at_once_bare(client: Client, appended: Sequence[NewEvent]) -> None:
    waiting = iter(appended)

    async def writer() -> None:
        for one in waiting:
            await client.append_to_stream(
                name(), current_version=StreamState.NO_STREAM, events=[bare(one)]
            )

    await asyncio.gather(*(writer() for _ in range(50)))


async def catch_up(client: Client, type: str) -> None:
    seen = 0
    async with Subscriptions(client, SHOP.catalogue).catch_up(after=None, only=only(type)) as items:
        async for item in items:
            seen += isinstance(item, RecordedEvent)
            if seen == BACKLOG:
                return


async def catch_up_bare(client: Client, type: str) -> None:
    seen = 0
    async with await client.subscribe_to_all(filter_include=[type], window_size=200) as items:
        async for _ in items:
            seen += 1
            if seen == BACKLOG:
                return


async def read_back(store: EventStore, stream: str) -> None:
    assert sum([1 async for _ in store.read(stream)]) == BACKLOG


async def read_back_bare(client: Client, stream: str) -> None:
    assert len(await client.get_stream(stream)) == BACKLOG


async def measure(uri: str) -> None:
    client = await eventstoredb.connect(uri)
    store, type, stream = EventStore(client, SHOP.catalogue), name("Noted"), name()
    noted = [event(data=DATA) for _ in range(APPENDS)]
    await compare(
        "append, one after the other",
        APPENDS,
        lambda: append_in_turn(store, noted),
        lambda: append_in_turn_bare(client, noted),
    )
    await compare(
        "append, 50 at a time",
        APPENDS,
        lambda: append_at_once(store, noted),
        lambda: append_at_once_bare(client, noted),
    )
    for version in range(NO_STREAM, BACKLOG - 1, 500):
        await store.append(stream, [event(type, DATA) for _ in range(500)], version)
    await compare(
        "read a stream",
        BACKLOG,
        lambda: read_back(store, stream),
        lambda: read_back_bare(client, stream),
    )
    await compare(
        "catch up",
        BACKLOG,
        lambda: catch_up(client, type),
        lambda: catch_up_bare(client, type),
    )
    await client.close()


def main() -> None:
    with NodeProcess() as node:
        asyncio.run(measure(node.uri))


if __name__ == "__main__":
    main()
