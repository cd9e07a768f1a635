"""Every exchange: what goes back, what comes for it, how far it is. Key: the exchange's id.

A view is as large as the request was; nothing that follows adds more.
"""

from collections.abc import Collection, Mapping
from typing import assert_never, cast

from pydantic import AwareDatetime

from application.messages import RecordedEvent
from application.projections.projection import Projection, View
from application.shop.aggregates import EXCHANGE
from domain.exchanges import (
    ExchangeApproved,
    ExchangeClosed,
    ExchangeCompleted,
    ExchangeEvent,
    ExchangeRequested,
    ExchangeStatus,
    GoodsBack,
    GoodsReceived,
    Replacement,
    ReplacementSent,
)
from domain.shop_values import ExchangeId, OrderId
from domain.values import Money, Text


class ExchangeSummary(View):
    exchange_id: ExchangeId
    version: int  # of the stream: what the next command may be based on
    order_id: OrderId
    status: ExchangeStatus
    requested_at: AwareDatetime
    updated_at: AwareDatetime
    difference: Money  # what the customer pays; below zero: what goes back to the customer
    reason: Text | None = None  # why it was closed
    back: tuple[GoodsBack, ...] = ()
    replacements: tuple[Replacement, ...] = ()


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(exchange: ExchangeSummary | None, recorded: RecordedEvent) -> ExchangeSummary:
    event = cast("ExchangeEvent", recorded.event)  # the filter lets nothing else through
    at = recorded.occurred_at
    if isinstance(event, ExchangeRequested):
        return ExchangeSummary(
            exchange_id=recorded.stream_id,
            version=recorded.version,
            order_id=event.order_id,
            status=ExchangeStatus.REQUESTED,
            requested_at=at,
            updated_at=at,
            difference=event.difference,
            back=event.back,
            replacements=event.replacements,
        )
    if exchange is None:
        raise LookupError(f"{recorded.type} of exchange {recorded.stream_id}, which is unknown")
    changes = {**_changes(event), "version": recorded.version, "updated_at": at}
    return exchange.model_copy(update=changes)


def _changes(
    event: GoodsReceived | ExchangeApproved | ReplacementSent | ExchangeCompleted | ExchangeClosed,
) -> Mapping[str, object]:
    match event:
        case GoodsReceived():
            return {"status": ExchangeStatus.RECEIVED}
        case ExchangeApproved():
            return {"status": ExchangeStatus.APPROVED}
        case ReplacementSent():
            return {"status": ExchangeStatus.SENT}
        case ExchangeCompleted():
            return {"status": ExchangeStatus.COMPLETED}
        case ExchangeClosed(reason=reason):
            return {"status": ExchangeStatus.CLOSED, "reason": reason}
        case _:
            assert_never(event)


exchanges = Projection(
    name="exchanges",
    version=2,  # found by the time of the request
    view=ExchangeSummary,
    follows=(EXCHANGE,),
    keys=_keys,
    evolve=_evolve,
    indexed=("order_id", "status", "requested_at"),
    detail=("back", "replacements"),
)
