"""What an audit can find: each finding is a fact, with its place and amount.

The docstring of a class states the breach of a rule, ``str()`` returns the case.
"""

from abc import ABC, abstractmethod
from typing import Literal

from pydantic import BaseModel, ConfigDict, computed_field

from domain.shop_values import ExchangeId, OrderId, ReturnId, Sku
from domain.values import Money


class Finding(BaseModel, ABC):
    """Something that does not add up. ``where`` is a stream, or a key in a provider's records."""

    model_config = ConfigDict(frozen=True)

    where: str

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def finding(self) -> str:
        """Its kind, for a program."""
        return type(self).__name__

    @computed_field  # type: ignore[prop-decorator]  # as above
    @property
    def says(self) -> str:
        """The case, for a person."""
        return str(self)

    @abstractmethod
    def __str__(self) -> str: ...


# ── every event ──────────────────────────────────────────────────────────────────────────────────


class EventsMissing(Finding):
    """The versions of a stream's events do not follow one another."""

    expected: int
    version: int

    def __str__(self) -> str:
        return f"version {self.version} comes where {self.expected} should"


# ── every unit of stock ──────────────────────────────────────────────────────────────────────────


class Miscounted(Finding):
    """Units received less units gone differ from the units on hand."""

    counted: int
    on_hand: int

    def __str__(self) -> str:
        return f"came less went is {self.counted:,}, on hand are {self.on_hand:,}"


class BelowZero(Finding):
    """More units left than were on hand, and not by a write-off from history."""

    units: int

    def __str__(self) -> str:
        return f"{self.units:,} units went that were not there"


class PromisedTwice(Finding):
    """More was reserved than was on hand, and not after a write-off from history."""

    units: int

    def __str__(self) -> str:
        return f"{self.units:,} units were promised that were not there"


class NotOrdered(Finding):
    """Goods are reserved or gone for an order that does not exist or has no such line."""

    order_id: OrderId
    units: int

    def __str__(self) -> str:
        return f"{self.units:,} units for order {self.order_id}, which did not order them"


class StillReserved(Finding):
    """Goods are reserved for an order that is finished."""

    order_id: OrderId
    status: str
    units: int

    def __str__(self) -> str:
        return f"{self.units:,} are reserved for order {self.order_id}, which is {self.status}"


class ReservedOtherwise(Finding):
    """Another number is reserved for a confirmed order than it ordered."""

    order_id: OrderId
    ordered: int
    reserved: int

    def __str__(self) -> str:
        wanted = f"order {self.order_id} is confirmed and has {self.ordered:,} of it"
        return f"{wanted}, reserved are {self.reserved:,}"


class DispatchedOtherwise(Finding):
    """Another number was dispatched than the order has."""

    order_id: OrderId
    status: str
    due: int
    dispatched: int

    def __str__(self) -> str:
        order = f"order {self.order_id} is {self.status}"
        return f"{order}: {self.due:,} of it should have left, {self.dispatched:,} have"


class RestockedOtherwise(Finding):
    """Another number of goods was restocked than was returned."""

    order_id: OrderId
    return_id: ReturnId
    returned: int
    restocked: int

    def __str__(self) -> str:
        came = f"{self.returned:,} came back with return {self.return_id} of order {self.order_id}"
        return f"{came}, {self.restocked:,} were received"


# ── every penny ──────────────────────────────────────────────────────────────────────────────────


Amount = Literal["held", "captured", "refunded"]


class PaymentWithoutOrder(Finding):
    """A payment has no order."""

    order_id: OrderId
    amount: Money

    def __str__(self) -> str:
        return f"{self.amount} for order {self.order_id}, which does not exist"


class BooksDisagree(Finding):
    """Our payments of an order are not what the provider has in its records."""

    what: Amount
    ours: Money
    theirs: Money

    def __str__(self) -> str:
        return f"we say that {self.ours} are {self.what}, the provider says {self.theirs}"


class HeldForFinishedOrder(Finding):
    """The provider still holds money for an order that is finished."""

    status: str
    amount: Money

    def __str__(self) -> str:
        return f"{self.amount} are held, and the order is {self.status}"


class KeptOtherwise(Finding):
    """The money that we keep differs from the price of the goods that the customer keeps."""

    status: str
    due: Money
    kept: Money

    def __str__(self) -> str:
        return f"the order is {self.status} and owes {self.due}, we keep {self.kept}"


# ── every parcel ─────────────────────────────────────────────────────────────────────────────────


class ParcelWithoutOrder(Finding):
    """A booking has no order."""

    order_id: OrderId

    def __str__(self) -> str:
        return f"a parcel for order {self.order_id}, which does not exist"


class ParcelsDisagree(Finding):
    """Our shipments of an order are not what the carrier has in its records."""

    ours: int
    theirs: int

    def __str__(self) -> str:
        return f"we have {self.ours} booked, the carrier has {self.theirs}"


class ParcelForCancelledOrder(Finding):
    """A carrier still comes for the parcel of a cancelled order."""

    parcels: int

    def __str__(self) -> str:
        return f"{self.parcels} booked, and the order is cancelled"


class NotOneParcel(Finding):
    """A confirmed or shipped order does not travel in exactly one parcel."""

    status: str
    parcels: int

    def __str__(self) -> str:
        return f"the order is {self.status}, and {self.parcels} parcels are booked"


class TrackedOtherwise(Finding):
    """A parcel was handed over under a tracking code that the carrier did not give it."""

    order_id: OrderId
    tracking_code: str

    def __str__(self) -> str:
        return f"the carrier has no parcel {self.tracking_code} of order {self.order_id}"


# ── every saga ───────────────────────────────────────────────────────────────────────────────────


class FulfilmentWithoutOrder(Finding):
    """A saga has ended for an order that does not exist, or was fulfilled elsewhere."""

    def __str__(self) -> str:
        return "a saga of no order"


class EndedTwice(Finding):
    """A saga has come to more than one end."""

    ends: tuple[str, ...]

    def __str__(self) -> str:
        return f"it ended {len(self.ends)} times: {', '.join(self.ends)}"


class EndedOtherwise(Finding):
    """The end of a saga does not fit the status of its order."""

    end: str
    status: str

    def __str__(self) -> str:
        return f"it is {self.end}, and the order is {self.status}"


class ClaimedOtherwise(Finding):
    """An order's lines are claimed for a closed exchange, or not for a completed one."""

    exchange_id: ExchangeId
    status: str

    def __str__(self) -> str:
        kept = "not claimed" if self.status == "completed" else "still claimed"
        return f"exchange {self.exchange_id} is {self.status}, and its lines are {kept}"


class GoodsUnaccounted(Finding):
    """Goods came back for an exchange that was closed, and were not taken as a return."""

    exchange_id: ExchangeId

    def __str__(self) -> str:
        return f"the goods of exchange {self.exchange_id} came back, and no return has them"


Moved = Literal["reserved", "dispatched", "received"]


class ExchangedOtherwise(Finding):
    """Other goods have moved for an exchange than it is about."""

    exchange_id: ExchangeId
    status: str
    what: Moved
    due: int
    moved: int

    def __str__(self) -> str:
        exchange = f"exchange {self.exchange_id} is {self.status}"
        return f"{exchange}: {self.due:,} of it should be {self.what}, {self.moved:,} are"


# ── what is not at its end ───────────────────────────────────────────────────────────────────────


What = Literal[
    "fulfilment is running",
    "fulfilment is being undone",
    "fulfilment has failed: a person must act",
    "a return has not been refunded",
    "a return has not been restocked",
    "an exchange is running",
    "an exchange has failed: a person must act",
]


class UnderWay(BaseModel):
    """Not a finding: something is still under way for this order, or needs an operator."""

    model_config = ConfigDict(frozen=True)

    order_id: OrderId
    what: What
    return_id: ReturnId | None = None
    exchange_id: ExchangeId | None = None
    sku: Sku | None = None
