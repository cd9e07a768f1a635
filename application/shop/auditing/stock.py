"""The rules of stock: no unit appears or is lost, and each is reserved or gone for one order."""

from collections.abc import Iterator

from application.shop.auditing.accounts import Accounts, OrderAccount, StockAccount
from application.shop.auditing.findings import (
    BelowZero,
    DispatchedOtherwise,
    Finding,
    Miscounted,
    NotOrdered,
    PromisedTwice,
    ReservedOtherwise,
    RestockedOtherwise,
    StillReserved,
    UnderWay,
)
from application.shop.reactions.goods_return import receipt_id
from domain.orders import OrderStatus

_GONE = (OrderStatus.SHIPPED, OrderStatus.DELIVERED)
_FINISHED = (*_GONE, OrderStatus.CANCELLED)
_NOTHING = StockAccount()


def findings(accounts: Accounts) -> Iterator[Finding | UnderWay]:
    """What is wrong with any unit."""
    for sku, held in accounts.stock.items():
        yield from _counts(_stream(sku), held)
        yield from _not_ordered(sku, held, accounts)
    for id, order in accounts.ours.items():
        if order.is_settled:
            yield from _for_order(id, order, accounts)
        yield from _returns(id, order, accounts)


def _stream(sku: str) -> str:
    return f"stock-{sku}"


def _counts(where: str, held: StockAccount) -> Iterator[Finding]:
    if held.counted != held.state.on_hand:
        yield Miscounted(where=where, counted=held.counted, on_hand=held.state.on_hand)
    if held.short > 0:
        yield BelowZero(where=where, units=held.short)
    if held.overpromised > max(held.short, 0):
        yield PromisedTwice(where=where, units=held.overpromised)


def _not_ordered(sku: str, held: StockAccount, accounts: Accounts) -> Iterator[Finding]:
    for moved in (held.state.reserved, held.state.dispatched):
        for id, units in moved.items():
            order, exchange = accounts.orders.get(id), accounts.exchanges.get(id)
            ordered = order is not None and order.has(sku)
            if not ordered and not (exchange and exchange.replacement[sku]):
                yield NotOrdered(where=_stream(sku), order_id=id, units=units)


def _for_order(id: str, order: OrderAccount, accounts: Accounts) -> Iterator[Finding]:
    for sku, ordered in order.ordered.items():
        held = accounts.stock.get(sku, _NOTHING).state
        reserved, gone = held.reserved.get(id, 0), held.dispatched.get(id, 0)
        where, status, finished = _stream(sku), order.status, order.state.status in _FINISHED
        if finished and reserved:
            yield StillReserved(where=where, order_id=id, status=status, units=reserved)
        if order.state.status is OrderStatus.CONFIRMED and reserved + gone != ordered:
            yield ReservedOtherwise(where=where, order_id=id, ordered=ordered, reserved=reserved)
        due = ordered if order.state.status in _GONE else 0
        if finished and gone != due:
            yield DispatchedOtherwise(
                where=where, order_id=id, status=status, due=due, dispatched=gone
            )


def _returns(id: str, order: OrderAccount, accounts: Accounts) -> Iterator[Finding | UnderWay]:
    for return_id, lines in order.state.returns.items():
        for sku, returned in order.units_of(lines).items():
            receipt = accounts.stock.get(sku, _NOTHING).state.receipts.get(
                receipt_id(id, return_id)
            )
            if receipt is None:
                yield UnderWay(
                    order_id=id, what="a return has not been restocked", return_id=return_id
                )
            elif receipt.quantity != returned:
                yield RestockedOtherwise(
                    where=_stream(sku),
                    order_id=id,
                    return_id=return_id,
                    returned=returned,
                    restocked=receipt.quantity,
                )
