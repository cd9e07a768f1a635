"""The rules of sagas: each order of ours has one; it ends once; its end fits the order."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from types import MappingProxyType

from application.sagas.events import SagaCompensated, SagaCompleted, SagaFailed, SagaResolved
from application.shop.auditing.accounts import Accounts, OrderAccount
from application.shop.auditing.findings import (
    EndedOtherwise,
    EndedTwice,
    Finding,
    FulfilmentWithoutOrder,
    UnderWay,
)
from application.shop.sagas.order_fulfilment import order_fulfilment
from domain.orders import OrderStatus

CATEGORY = order_fulfilment.name
EVENTS = order_fulfilment.category.only(SagaCompleted, SagaCompensated, SagaFailed, SagaResolved)
ENDS: Mapping[str, str] = MappingProxyType(
    {
        SagaCompleted.__name__: "completed",
        SagaCompensated.__name__: "compensated",
        SagaFailed.__name__: "failed",
        SagaResolved.__name__: "resolved",
    }
)
"""The last event of a saga, as the audit prints it."""


def findings(accounts: Accounts) -> Iterator[Finding | UnderWay]:
    """What is wrong with any saga, and which are under way."""
    for id, order in accounts.orders.items():
        if order.ends and not order.is_ours:
            yield FulfilmentWithoutOrder(where=f"{CATEGORY}-{id}")
        if order.is_ours:
            yield from _ended(id, order)


def _ended(id: str, order: OrderAccount) -> Iterator[Finding | UnderWay]:
    where, status = f"{CATEGORY}-{id}", order.state.status
    if not all(_may_follow(*two) for two in pairwise(order.ends)):
        yield EndedTwice(where=where, ends=order.ends)
    match order.end, status:
        case None, _:
            yield UnderWay(order_id=id, what="fulfilment is running")
        case "failed", _:
            yield UnderWay(order_id=id, what="fulfilment has failed: a person must act")
        case "completed", OrderStatus.CANCELLED:
            yield UnderWay(order_id=id, what="fulfilment is being undone")
        case ("completed", OrderStatus.PLACED) | (
            "compensated",
            OrderStatus.PLACED
            | OrderStatus.CONFIRMED
            | OrderStatus.SHIPPED
            | OrderStatus.DELIVERED,
        ):
            yield EndedOtherwise(where=where, end=str(order.end), status=order.status)


def _may_follow(end: str, later: str) -> bool:
    """A failed saga may be retried, and a completed one may be cancelled by the customer."""
    return end in ("failed", "resolved") or (end == "completed" and later != "completed")
