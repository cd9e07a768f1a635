"""What commands and whole orders cost on DynamoDB: requests and units, not rates.

    python -m tests.shop.benchmarks.dynamodb_units

Units are counted from requests and answers, as AWS bills them; the server is a double. The read
models are in memory, so that only the events are counted, and what the sagas do with them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from dependency_injector import providers

from application.command_dispatch import CommandDispatch
from application.messages import Context, RecordedEvent
from application.shop.aggregates import ORDER
from application.shop.service import SHOP
from domain.orders import OrderDelivered
from domain.stock import ReceiveStock
from infrastructure.container import Container, in_memory
from infrastructure.dynamodb import Subscriptions
from infrastructure.processes.service import reacting
from infrastructure.shop.program import PROGRAM
from infrastructure.shop.settings import ShopSettings
from infrastructure.shop.simulating import warehouse_staff
from infrastructure.sides import EventSide
from tests.contracts.dynamodb_events import stores_in
from tests.contracts.stores import Stores
from tests.dynamodb.faults import Faults
from tests.dynamodb.opened import database
from tests.dynamodb.units import Units
from tests.servers import DYNAMODB, available
from tests.shop.benchmarks.postgres_store import PLACE

SKUS: Final = ("85123A", "71053")
MANY: Final = 64
RIVALS: Final = 4
IDLE: Final = 20.0  # seconds


def main() -> None:
    """Measure and print; takes about a minute."""
    print(f"{'':44}{'requests':>10}{'write units':>13}{'read units':>12}")
    with available(DYNAMODB) as uri:
        asyncio.run(_measure(uri))


async def _measure(uri: str) -> None:
    faults = Faults()
    async with database(uri, faults) as db:
        stores = stores_in(db, SHOP.catalogue)
        dispatch = CommandDispatch(stores.events, SHOP.catalogue, remember=1000)
        await _received(dispatch, "first")
        with_known, alone = Units(), Units()
        faults.next = alone
        for number in range(20):
            await _received(dispatch, f"new-{number}")
        _show("a command that begins a stream, alone", alone, 20)
        faults.next = with_known
        for _ in range(20):
            await _received(dispatch, "first")
        _show("a command on a stream that is remembered", with_known, 20)
        faults.next = together = Units()
        for _ in range(10):
            await asyncio.gather(*(_received(dispatch, f"sku-{n}") for n in range(MANY)))
        _show(f"a command, {MANY} at the same time", together, 10 * MANY)
        await _rivals(db.prefix, uri)
        await _orders(stores, faults)


async def _rivals(prefix: str, uri: str) -> None:
    """Processes that race for the end of one log."""
    faults = Faults(next=(units := Units()))
    async with AsyncExitStack() as stack:
        dispatches = []
        for _ in range(RIVALS):
            db = await stack.enter_async_context(database(uri, faults, prefix=prefix))
            dispatches.append(
                CommandDispatch(stores_in(db, SHOP.catalogue).events, SHOP.catalogue, remember=1000)
            )
        commands = [
            _received(dispatch, f"of-{number}-{client}")
            for number, dispatch in enumerate(dispatches)
            for client in range(MANY // RIVALS)
        ]
        await asyncio.gather(*commands)
        _show(f"a command, {MANY} at the same time, {RIVALS} processes", units, MANY)
        tries = [call for call in faults.calls if call.operation == "TransactWriteItems"]
        print(f"{'':6}{len(tries)} transactions were tried, {units.refused} of them refused")


async def _orders(stores: Stores, faults: Faults) -> None:
    async with _shop(stores) as container:
        for sku in SKUS:
            await _received(container.dispatch(), sku, 100_000)
        await _delivered(container, 1)
        faults.next = one = Units()
        await _delivered(container, 1)
        _show("a whole order, alone", one, 1)
        print(f"{'':6}write units by table: {dict(one.writes)}")
        faults.next = many = Units()
        await _delivered(container, MANY)
        _show(f"a whole order, {MANY} at the same time", many, MANY)
        print(f"{'':6}write units by table: {dict(many.writes)}")
        await asyncio.sleep(5.0)  # until the last acknowledgement is written
        faults.next = idle = Units()
        await asyncio.sleep(IDLE)
        _show("nothing, for a minute", idle, IDLE / 60)


@asynccontextmanager
async def _shop(stores: Stores) -> AsyncIterator[Container]:
    """The shop on these events, with sagas and a warehouse at work."""
    container = in_memory(PROGRAM, ShopSettings())
    assert isinstance(stores.subscriptions, Subscriptions)
    side = EventSide(stores.events, stores.subscriptions, stores.groups, stores.browser)
    container.event_side.override(providers.Object(side))
    container.open_events.override(providers.Callable(nullcontext, container.event_side))
    async with reacting(container):
        staff = asyncio.create_task(warehouse_staff(container).run())
        try:
            yield container
        finally:
            staff.cancel()
            await asyncio.wait([staff])


async def _delivered(container: Container, count: int) -> None:
    """Place so many orders, and return when all are delivered."""
    after = await container.subscriptions().head()
    orders = [uuid4().hex for _ in range(count)]
    placing = (container.dispatch()(id, PLACE, _context(), new=True) for id in orders)
    await asyncio.gather(*placing)
    left = set(orders)
    only = ORDER.only(OrderDelivered)
    async with container.subscriptions().catch_up(after=after, only=only) as messages:
        async for message in messages:
            if isinstance(message, RecordedEvent):
                left.discard(message.stream_id)
                if not left:
                    return


async def _received(dispatch: CommandDispatch, sku: str, quantity: int = 1) -> None:
    await dispatch(sku, ReceiveStock(receipt_id=uuid4().hex, quantity=quantity), _context())


def _context() -> Context:
    return Context.start("a benchmark", uuid4(), datetime.now(UTC))


def _show(what: str, units: Units, of: float) -> None:
    print(
        f"{what:44}{units.requests / of:>10.1f}{units.written / of:>13.1f}{units.reads / of:>12.1f}"
    )


if __name__ == "__main__":
    main()
