"""A command on a long stream, by a process that knows nothing of it: with a snapshot, and without.

    python -m tests.shop.benchmarks.snapshots [EVENTS]

The stream is the stock of one SKU on the embedded node (double), on disk, behind a claim check: one
delivery, then orders that reserve and dispatch one unit each.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final
from uuid import uuid4

from application.catalogue import Catalogue
from application.claim_check import ClaimCheck
from application.command_dispatch import CommandDispatch
from application.messages import Context, NewEvent
from application.ports import NO_STREAM, EventStore
from application.shop.service import SHOP
from application.snapshots import Snapshots, SnapshotTaken
from domain.decider import Event
from domain.stock import ReserveStock, StockDispatched, StockReceived, StockReserved
from embedded_eventstoredb import NodeProcess
from infrastructure import eventstoredb, filesystem

EVENTS: Final = 5_000
EVERY: Final = 500
ROUNDS: Final = 21
STREAM: Final = "stock-85123A"
WITH: Final = Catalogue(
    (replace(of, snapshots=Snapshots(every=EVERY)) for of in SHOP.categories), SHOP.upcasters
)


def asked() -> Context:
    return Context.start("a benchmark", uuid4(), datetime.now(UTC))


def new(event: Event) -> NewEvent:
    return SHOP.catalogue.new_event(event, uuid4(), asked())


async def fill(store: EventStore, count: int) -> None:
    events = [new(StockReceived(receipt_id="r-1", quantity=1_000_000))]
    while len(events) < count:
        order = f"o-{len(events)}"
        events.append(new(StockReserved(order_id=order, quantity=1)))
        events.append(new(StockDispatched(order_id=order, quantity=1)))
    for start in range(0, len(events), 500):
        await store.append(STREAM, events[start : start + 500], start - 1 if start else NO_STREAM)


async def command(dispatch: CommandDispatch) -> float:
    """Milliseconds that one takes."""
    began = time.perf_counter()
    await dispatch("85123A", ReserveStock(order_id=f"o-{uuid4().hex}", quantity=1), asked())
    return (time.perf_counter() - began) * 1e3


async def cold(started: Callable[[], CommandDispatch]) -> float:
    """The median of commands that are each the first one of a process."""
    return median([await command(started()) for _ in range(ROUNDS)])


async def size(store: EventStore) -> int:
    async for recorded in store.read(f"snapshot-{STREAM}", backwards=True, limit=1):
        assert isinstance(recorded.event, SnapshotTaken)
        return len(recorded.data)
    raise AssertionError("there is no snapshot")


async def measure(uri: str, payloads: Path, count: int) -> None:
    client = await eventstoredb.connect(uri)
    store = ClaimCheck(
        eventstoredb.EventStore(client, SHOP.catalogue),
        filesystem.PayloadStore(payloads),
    )
    await fill(store, count)
    without = await cold(lambda: CommandDispatch(store, SHOP.catalogue))
    taking = await command(CommandDispatch(store, WITH))
    with_one = await cold(lambda: CommandDispatch(store, WITH))
    known = CommandDispatch(store, SHOP.catalogue, remember=1)
    await command(known)
    warm = median([await command(known) for _ in range(ROUNDS)])
    print(f"a stream of {count:,} events; the snapshot has {await size(store):,} bytes")
    print(f"first command of a process    {without:8.1f} ms")
    print(f"the same, with a snapshot     {with_one:8.1f} ms   ratio {without / with_one:.1f}")
    print(f"the same, and takes one       {taking:8.1f} ms")
    print(f"any later one, remembered     {warm:8.1f} ms")
    await client.close()


def main(count: int = EVENTS) -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        with NodeProcess(home / "node") as node:
            asyncio.run(measure(node.uri, home / "payloads", count))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
