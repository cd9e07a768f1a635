"""The totals of a shop, as far as an audit has added them up."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict

from application.shop.auditing.accounts import Accounts
from application.shop.ports import BookingRecord, PaymentRecord
from application.shop.reactions.goods_return import receipt_id
from domain.exchanges import ExchangeStatus
from domain.orders import OrderStatus
from domain.shipments import ShipmentStatus

_ENDS = ("completed", "compensated", "failed", "resolved", "running")


class Units(BaseModel):
    """Of all SKUs together. ``received`` holds what was ``restocked``."""

    model_config = ConfigDict(frozen=True)

    received: int
    restocked: int
    adjusted: int
    written_off: int
    dispatched: int
    on_hand: int
    reserved: int


class Amounts(BaseModel):
    """Of one currency, by the provider's records. What is neither voided nor captured is held."""

    model_config = ConfigDict(frozen=True)

    authorised: Decimal
    voided: Decimal
    held: Decimal
    captured: Decimal
    refunded: Decimal
    kept: Decimal


class Parcels(BaseModel):
    """By the carrier's records, and by our shipments."""

    model_config = ConfigDict(frozen=True)

    booked: int
    cancelled: int
    handed_over: int
    delivered: int
    failed: int


class Summary(BaseModel):
    """The totals of the shop."""

    model_config = ConfigDict(frozen=True)

    units: Units
    money: Mapping[str, Amounts]  # by currency
    parcels: Parcels
    orders: Mapping[str, int]  # by status; those from history apart
    sagas: Mapping[str, int]  # by end; those that have none are running
    exchanges: Mapping[str, int]  # by status

    @classmethod
    def of(
        cls,
        accounts: Accounts,
        payments: Sequence[PaymentRecord],
        bookings: Sequence[BookingRecord],
    ) -> "Summary":
        ours = list(accounts.ours.values())
        statuses = Counter(order.status for order in ours)
        ends = Counter(order.end or "running" for order in ours)
        from_history = sum(order.state.from_history for order in accounts.orders.values())
        return cls(
            units=_units(accounts),
            money=_money(payments),
            parcels=_parcels(accounts, bookings),
            orders={**{one: statuses[one] for one in OrderStatus}, "from history": from_history},
            exchanges=_exchanges(accounts),
            sagas={
                end: ends[end]
                for end in ("completed", "compensated", "failed", "resolved", "running")
            },
        )


def _exchanges(accounts: Accounts) -> Mapping[str, int]:
    statuses = Counter(exchange.status for exchange in accounts.exchanges.values())
    return {status: statuses[status] for status in ExchangeStatus}


def _units(accounts: Accounts) -> Units:
    held = accounts.stock.values()
    receipts = {
        receipt_id(id, return_id)
        for id, order in accounts.ours.items()
        for return_id in order.state.returns
    } | {
        receipt_id(exchange.requested.order_id, id)
        for id, exchange in accounts.exchanges.items()
        if exchange.is_completed
    }
    return Units(
        received=sum(one.received for one in held),
        restocked=sum(
            receipt.quantity
            for one in held
            for id, receipt in one.state.receipts.items()
            if id in receipts
        ),
        adjusted=sum(one.adjusted for one in held),
        written_off=sum(one.written_off for one in held),
        dispatched=sum(one.dispatched for one in held),
        on_hand=sum(one.state.on_hand for one in held),
        reserved=sum(sum(one.state.reserved.values()) for one in held),
    )


def _money(records: Sequence[PaymentRecord]) -> Mapping[str, Amounts]:
    by_currency = defaultdict[str, list[PaymentRecord]](list)
    for payment in records:
        by_currency[payment.authorised.currency].append(payment)
    return {currency: _amounts(by_currency[currency]) for currency in sorted(by_currency)}


def _amounts(records: Sequence[PaymentRecord]) -> Amounts:
    sums: Any = {
        "authorised": sum(one.authorised.amount for one in records),
        "voided": sum(one.authorised.amount for one in records if one.voided),
        "held": sum(one.held.amount for one in records),
        "captured": sum(one.captured.amount for one in records),
        "refunded": sum(one.refunded.amount for one in records),
        "kept": sum(one.captured.amount - one.refunded.amount for one in records),
    }
    return Amounts(**{name: Decimal(amount) for name, amount in sums.items()})


def _parcels(accounts: Accounts, records: Sequence[BookingRecord]) -> Parcels:
    on_their_way = Counter(shipment.state.status for shipment in accounts.shipments.values())
    return Parcels(
        booked=len(records),
        cancelled=sum(booking.cancelled for booking in records),
        handed_over=on_their_way[ShipmentStatus.HANDED_OVER],
        delivered=on_their_way[ShipmentStatus.DELIVERED],
        failed=on_their_way[ShipmentStatus.FAILED],
    )
