"""The rules of parcels: our shipments are the carrier's bookings, and each order has one."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from application.shop.auditing.accounts import Accounts, ExchangeAccount, OrderAccount
from application.shop.auditing.findings import (
    Finding,
    NotOneParcel,
    ParcelForCancelledOrder,
    ParcelsDisagree,
    ParcelWithoutOrder,
    TrackedOtherwise,
)
from application.shop.ports import BookingRecord
from application.shop.sagas.carrier_calls import booking_key
from domain.orders import OrderStatus

_UNDER_WAY = (OrderStatus.CONFIRMED, OrderStatus.SHIPPED, OrderStatus.DELIVERED)


def findings(accounts: Accounts, records: Sequence[BookingRecord]) -> Iterator[Finding]:
    """What is wrong with any parcel."""
    yield from _without_order(accounts, records)
    yield from _tracked_otherwise(accounts, records)
    exchanged = {booking_key(id): id for id in accounts.exchanges}
    ours = Counter(
        one.order_id
        for id, one in accounts.shipments.items()
        if one.is_alive and id not in accounts.exchanges
    )
    alive = [booking for booking in records if not booking.cancelled]
    theirs = Counter(one.order_id for one in alive if one.key not in exchanged)
    for id, order in accounts.ours.items():
        if order.is_settled:
            yield from _of_order(f"order-{id}", order, ours[id], theirs[id])
    booked = {exchanged[one.key] for one in alive if one.key in exchanged}
    for id, exchange in accounts.exchanges.items():
        if exchange.is_settled:
            shipment = accounts.shipments.get(id)
            mine = shipment is not None and shipment.is_alive
            yield from _of_exchange(f"exchange-{id}", exchange, int(mine), int(id in booked))


def _without_order(accounts: Accounts, records: Sequence[BookingRecord]) -> Iterator[Finding]:
    for id, shipment in accounts.shipments.items():
        if shipment.order_id is not None and shipment.order_id not in accounts.orders:
            yield ParcelWithoutOrder(where=f"shipment-{id}", order_id=shipment.order_id)
    for booking in records:
        if booking.order_id not in accounts.orders:
            yield ParcelWithoutOrder(where=f"carrier: {booking.key}", order_id=booking.order_id)


def _tracked_otherwise(accounts: Accounts, records: Sequence[BookingRecord]) -> Iterator[Finding]:
    codes = defaultdict[str, set[str]](set)
    for booking in records:
        codes[booking.order_id].add(booking.tracking_code)
    for id, shipment in accounts.shipments.items():
        code, order_id = shipment.state.tracking_code, shipment.order_id
        if code is not None and order_id is not None and code not in codes[order_id]:
            yield TrackedOtherwise(where=f"shipment-{id}", order_id=order_id, tracking_code=code)


def _of_exchange(
    where: str, exchange: ExchangeAccount, ours: int, theirs: int
) -> Iterator[Finding]:
    if ours != theirs:
        yield ParcelsDisagree(where=where, ours=ours, theirs=theirs)
    if theirs and not exchange.is_completed:
        yield ParcelForCancelledOrder(where=where, parcels=theirs)
    if exchange.is_completed and not theirs:
        yield NotOneParcel(where=where, status=exchange.status, parcels=theirs)


def _of_order(where: str, order: OrderAccount, ours: int, theirs: int) -> Iterator[Finding]:
    if ours != theirs:
        yield ParcelsDisagree(where=where, ours=ours, theirs=theirs)
    if order.state.status is OrderStatus.CANCELLED and theirs:
        yield ParcelForCancelledOrder(where=where, parcels=theirs)
    if order.state.status in _UNDER_WAY and theirs != 1:
        yield NotOneParcel(where=where, status=order.status, parcels=theirs)
