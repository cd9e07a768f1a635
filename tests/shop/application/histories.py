"""Small order histories for the tests of the import, and what came of them in a store."""

from application.command_dispatch import CommandDispatch
from application.messages import RecordedEvent
from application.ports import EventStore
from application.shop.importing import Report, import_history
from application.shop.importing.rows import FileLine
from application.shop.service import SHOP
from domain.decider import Event
from domain.orders import LinesReturned, OrderLine, ReturnedLine
from domain.values import Money


def history(*rows: str) -> list[FileLine]:
    """The lines of a file with these rows, which follow the header."""
    return [FileLine(number, row.split(",")) for number, row in enumerate(rows, start=2)]


def row(
    invoice: str = "536365",
    code: str = "71053",
    quantity: object = 6,
    *,
    description: str = "WHITE METAL LANTERN",
    moment: str = "2010-12-01 08:26:00",
    price: str = "3.39",
    customer: str = "17850",
    country: str = "United Kingdom",
) -> str:
    """One row that makes sense, but for what the test says."""
    return f"{invoice},{code},{description},{quantity},{moment},{price},{customer},{country}"


async def bring_in(store: EventStore, *rows: str) -> Report:
    return await import_history(history(*rows), CommandDispatch(store, SHOP.catalogue))


async def recorded(store: EventStore, stream: str) -> list[RecordedEvent]:
    return [event async for event in store.read(stream)]


async def events(store: EventStore, stream: str) -> list[Event]:
    return [event.event for event in await recorded(store, stream)]


async def returns(store: EventStore, order: str) -> list[ReturnedLine]:
    """What came back of an order: each line's number and quantity."""
    return [
        line
        for event in await events(store, f"order-{order}")
        if isinstance(event, LinesReturned)
        for line in event.lines
    ]


def back(line: int, quantity: int) -> ReturnedLine:
    return ReturnedLine(line=line, quantity=quantity)


def line(sku: str, quantity: int, price: str, description: str | None) -> OrderLine:
    unit_price = Money.parse(price)
    return OrderLine(sku=sku, description=description, quantity=quantity, unit_price=unit_price)
