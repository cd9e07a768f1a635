"""The seams of the shop: its payment provider, its carrier, and the records of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from application.ports import Declined, Done
from domain.shop_values import OrderId
from domain.values import Money


@dataclass(frozen=True)
class Authorised:
    """The money is held. ``reference`` is the provider's name for it, for people."""

    reference: str


@dataclass(frozen=True)
class Booked:
    """The carrier will fetch the parcels."""

    tracking_code: str


class PaymentProvider(Protocol):
    """Authorises, captures and refunds payments. An authorisation is named by its key.

    All methods but ``find`` raise :class:`ProviderUnavailable`, :class:`OutcomeUnknown` and
    :class:`ProviderRefused`.
    """

    async def authorise(self, key: str, order_id: OrderId, amount: Money) -> Authorised | Declined:
        """Hold ``amount``, until it is captured or voided."""
        ...

    async def capture(self, key: str, authorisation: str, amount: Money) -> None:
        """Capture ``amount`` of what is held, once. The rest is released."""
        ...

    async def void(self, key: str, authorisation: str) -> None:
        """Release what is held. Refused once it is captured.

        An authorisation with this key that arrives later is declined. So voiding is safe when the
        outcome of the authorisation is unknown.
        """
        ...

    async def refund(self, key: str, authorisation: str, amount: Money) -> None:
        """Refund ``amount`` of what was captured. Several refunds are possible, up to that sum."""
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
        """Book the transport of an order's parcels to that country."""
        ...

    async def cancel(self, key: str, booking: str) -> None:
        """Cancel a booking. One with this key that arrives later is declined."""
        ...

    async def find(self, key: str) -> Booked | Declined | Done | None:
        """As for payments."""
        ...


@dataclass(frozen=True)
class PaymentRecord:
    """One authorisation that was granted, and what followed."""

    key: str
    order_id: OrderId
    authorised: Money
    captured: Money
    refunded: Money
    voided: bool

    @property
    def held(self) -> Money:
        """What is authorised, and neither captured nor released."""
        settled = self.voided or self.captured.amount > 0
        return Money.zero(self.authorised.currency) if settled else self.authorised


@dataclass(frozen=True)
class BookingRecord:
    """One booking that was accepted."""

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
        """Every booking ever accepted, in order."""
        ...


@dataclass(frozen=True)
class Outside:
    """Every provider that the shop calls. A new provider is one more field."""

    payment_provider: PaymentProvider
    carrier: Carrier
    audit: Audit
