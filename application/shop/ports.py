"""The seams of the shop: its payment provider, its carrier, and the records of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from application.ports import Declined, Done
from domain.shop_values import OrderId
from domain.values import Money


@dataclass(frozen=True)
class Authorised:
    """The money is held. ``reference`` is what the provider calls it, for people to look it up."""

    reference: str


@dataclass(frozen=True)
class Booked:
    """The carrier comes for the parcels."""

    tracking_code: str


class PaymentProvider(Protocol):
    """Holds, takes and gives back customers' money. An authorisation is named by its key.

    All methods but ``find`` raise :class:`ProviderUnavailable`, :class:`OutcomeUnknown` and
    :class:`ProviderRefused`.
    """

    async def authorise(self, key: str, order_id: OrderId, amount: Money) -> Authorised | Declined:
        """Hold ``amount``, until it is captured or voided."""
        ...

    async def capture(self, key: str, authorisation: str, amount: Money) -> None:
        """Take ``amount`` of what is held, once; the rest is held no longer."""
        ...

    async def void(self, key: str, authorisation: str) -> None:
        """Let go of what is held. Refused once it is captured.

        An authorisation that the provider has not heard of cannot be made any more after this: the
        late call is declined. So voiding is right where the outcome is unknown.
        """
        ...

    async def refund(self, key: str, authorisation: str, amount: Money) -> None:
        """Give back ``amount`` of what was captured; several times, as long as there is some."""
        ...

    async def find(self, key: str) -> Authorised | Declined | Done | None:
        """The answer of the call with this key.

        ``None``: nothing yet, though a call under way may still arrive. Raises
        :class:`ProviderRefused` as the call did, and :class:`ProviderUnavailable`.
        """
        ...


class Carrier(Protocol):
    """Takes parcels to customers. A booking is named by its key; errors as for payments."""

    async def book(
        self, key: str, order_id: OrderId, country: str | None, parcels: int = 1
    ) -> Booked | Declined:
        """Have so many parcels of an order fetched and taken to that country."""
        ...

    async def cancel(self, key: str, booking: str) -> None:
        """Have nothing fetched. As ``void``: a booking not heard of cannot be made any more."""
        ...

    async def find(self, key: str) -> Booked | Declined | Done | None:
        """As for payments."""
        ...


@dataclass(frozen=True)
class PaymentRecord:
    """One authorisation that was granted, and all that became of it."""

    key: str
    order_id: OrderId
    authorised: Money
    captured: Money
    refunded: Money
    voided: bool

    @property
    def held(self) -> Money:
        """What the customer can neither spend nor has paid."""
        settled = self.voided or self.captured.amount > 0
        return Money.zero(self.authorised.currency) if settled else self.authorised


@dataclass(frozen=True)
class BookingRecord:
    """One booking that was taken."""

    key: str
    order_id: OrderId
    country: str | None
    parcels: int
    tracking_code: str
    cancelled: bool


class Audit(Protocol):
    """The providers' own records, to compare with ours. Raises :class:`ProviderUnavailable`."""

    async def payments(self) -> Sequence[PaymentRecord]:
        """Every authorisation ever granted, in order."""
        ...

    async def bookings(self) -> Sequence[BookingRecord]:
        """Every booking ever taken, in order."""
        ...


@dataclass(frozen=True)
class Outside:
    """Every provider that the shop calls. A new provider is one more field."""

    payment_provider: PaymentProvider
    carrier: Carrier
    audit: Audit
