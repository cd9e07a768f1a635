"""The requests of the customers of an order history, and their times. Pure.

A history does not name the order of a cancellation; it is matched as in the import.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from zlib import crc32

from application.shop.importing.invoices import ImportStep
from application.shop.importing.plan import Plan, survey
from application.shop.importing.rows import Source
from domain.exchanges import MOST_LINES, GoodsBack, Replacement, RequestExchange
from domain.orders import OrderLine, PlaceOrder, ReturnedLine, ReturnLines
from domain.values import Money

_DEARER: Final = (Decimal(0), Decimal("0.10"), Decimal("-0.10"))


@dataclass(frozen=True, slots=True)
class Place:
    """A customer places an order."""

    order_id: str
    moment: datetime
    command: PlaceOrder


@dataclass(frozen=True, slots=True)
class Back:
    """A customer returns some of an order, or (``whole``) cancels it."""

    order_id: str
    moment: datetime
    command: ReturnLines
    whole: bool
    exchange: RequestExchange | None = None  # for the same goods at another price, not the money


Request = Place | Back


def traffic(source: Source, orders: int | None = None, exchanges: float = 0.0) -> Iterator[Request]:
    """The requests of the first orders, in the order of the history. Reads it twice.

    ``exchanges``: the share of returns for which the customer wants goods, not money.
    """
    ordered: dict[str, tuple[OrderLine, ...]] = {}
    for step in Plan(survey(source)).steps(source):
        if not isinstance(step, ImportStep):
            continue  # a line that is no order
        match step.command:
            case PlaceOrder() as command if orders is None or len(ordered) < orders:
                ordered[step.id] = command.lines
                yield Place(step.id, step.context.occurred_at, _live(command))
            case ReturnLines() as command if step.id in ordered:
                lines, at = ordered[step.id], step.context.occurred_at
                whole = _covers(command.lines, lines)
                yield Back(
                    step.id, at, command, whole, _exchange(step.id, command, lines, exchanges)
                )


def _live(command: PlaceOrder) -> PlaceOrder:
    """As it is placed today: it is fulfilled, so its parcel needs a label."""
    label = {"recipient": f"Customer {command.customer_id}", "address": "1 High Street"}
    return command.model_copy(update={"from_history": False, **label})


def _exchange(
    order_id: str, command: ReturnLines, ordered: tuple[OrderLine, ...], share: float
) -> RequestExchange | None:
    """Chosen by the return's id, so that the same ones are exchanged in every run."""
    chance = crc32(command.return_id.encode())
    if chance % 1000 >= share * 1000 or len(command.lines) > MOST_LINES:
        return None
    back = tuple(
        GoodsBack(
            line=of.line,
            sku=ordered[of.line - 1].sku,
            quantity=of.quantity,
            unit_price=ordered[of.line - 1].unit_price,
        )
        for of in command.lines
    )
    dearer = Money(amount=_DEARER[chance % 3], currency=back[0].unit_price.currency)
    replacements = tuple(
        Replacement(sku=of.sku, quantity=of.quantity, unit_price=_not_below_zero(of, dearer))
        for of in back
    )
    return RequestExchange(order_id=order_id, back=back, replacements=replacements)


def _not_below_zero(back: GoodsBack, dearer: Money) -> Money:
    price = back.unit_price + dearer
    return back.unit_price if price.amount < 0 else price


def _covers(returned: tuple[ReturnedLine, ...], ordered: tuple[OrderLine, ...]) -> bool:
    units = Counter[int]()
    for line in returned:
        units[line.line] += line.quantity
    return all(units[number] == of.quantity for number, of in enumerate(ordered, start=1))
