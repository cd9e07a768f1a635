"""What a step of a saga asks of the world, as data: commands to aggregates, calls to providers.

An action can be repeated: its command id, or its key at the provider, is always the same. Both
name what the action is about, and no action rests on its place among those of its step. So one step
gives one aggregate one command of a kind; a second one of that kind belongs to another step.
"""

from dataclasses import dataclass

from domain.decider import Command
from domain.shop_values import OrderId, PaymentId, ShipmentId
from domain.values import Money


@dataclass(frozen=True)
class Tell:
    """Carry out a command on the aggregate of that id. Its refusal is final."""

    id: str
    command: Command


@dataclass(frozen=True)
class AuthorisePayment:
    """Have the money held, and record it. Declined is refused."""

    payment_id: PaymentId
    order_id: OrderId
    amount: Money


@dataclass(frozen=True)
class CapturePayment:
    """Take what is held, and record it."""

    payment_id: PaymentId
    amount: Money


@dataclass(frozen=True)
class ReturnPayment:
    """Let go of what is held or, if it was taken, give it back; whatever happened is recorded."""

    payment_id: PaymentId
    order_id: OrderId
    amount: Money


@dataclass(frozen=True)
class BookShipment:
    """Have the parcel fetched, and record it. Declined is refused."""

    shipment_id: ShipmentId
    order_id: OrderId
    country: str | None


@dataclass(frozen=True)
class CancelShipment:
    """Have nothing fetched; whatever happened is recorded."""

    shipment_id: ShipmentId
    order_id: OrderId
    country: str | None


Action = Tell | AuthorisePayment | CapturePayment | ReturnPayment | BookShipment | CancelShipment
