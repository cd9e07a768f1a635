"""Requesting an exchange: the order gives the price of the goods, or refuses."""

from collections.abc import Sequence
from typing import Any

from application.command_dispatch import CommandDispatch, CommandOutcome
from application.messages import Context
from application.ports import EventStore
from application.shop.aggregates import EXCHANGE, ORDER
from domain import orders
from domain.decider import Decider
from domain.exchanges import (
    Exchange,
    ExchangeAlreadyRequested,
    GoodsBack,
    Replacement,
    RequestExchange,
)
from domain.orders import ClaimLines, Order, OrderLine, ReturnedLine
from domain.shop_values import ExchangeId, OrderId


async def request_exchange(
    store: EventStore,
    dispatch: CommandDispatch,
    *,
    order_id: OrderId,
    exchange_id: ExchangeId,
    lines: tuple[ReturnedLine, ...],
    replacements: tuple[Replacement, ...],
    context: Context,
) -> CommandOutcome:
    """Request an exchange of these lines, at the price that was paid, for these goods.

    Lines that cannot be returned are refused at once. The saga claims them later, which may still
    be refused. Raises what the order, the exchange and dispatch raise.
    """
    order: Order = await _state(store, ORDER.stream(order_id), orders.decider)
    known: Exchange = await _state(store, EXCHANGE.stream(exchange_id), EXCHANGE.decider)
    if known.requested is None:
        orders.decide(ClaimLines(exchange_id=exchange_id, lines=lines), order)
    elif [(of.line, of.quantity) for of in known.requested.back] != [
        (of.line, of.quantity) for of in lines
    ]:
        raise ExchangeAlreadyRequested("an exchange of other lines was requested under this id")
    assert order.placed is not None  # else it has been refused
    command = RequestExchange(
        order_id=order_id,
        country=order.placed.country,
        back=_priced(lines, order.placed.lines),
        replacements=replacements,
    )
    return await dispatch(exchange_id, command, context, new=True)


def _priced(lines: Sequence[ReturnedLine], ordered: Sequence[OrderLine]) -> tuple[GoodsBack, ...]:
    return tuple(
        GoodsBack(
            line=back.line,
            sku=ordered[back.line - 1].sku,
            quantity=back.quantity,
            unit_price=ordered[back.line - 1].unit_price,
        )
        for back in lines
    )


async def _state(store: EventStore, stream: str, decider: Decider[Any, Any, Any]) -> Any:
    return decider.fold([recorded.event async for recorded in store.read(stream)])
