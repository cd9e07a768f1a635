"""The books of the providers in memory."""

from collections.abc import Sequence

from application.shop.ports import BookingOnBooks, PaymentOnBooks
from infrastructure.shop.memory.carrier import Carrier
from infrastructure.shop.memory.payment_provider import PaymentProvider


class Audit:
    """An :class:`~application.ports.Audit` of these two."""

    def __init__(self, provider: PaymentProvider, carrier: Carrier) -> None:
        self._provider, self._carrier = provider, carrier

    async def payments(self) -> Sequence[PaymentOnBooks]:
        return list(self._provider.books.payments.values())

    async def bookings(self) -> Sequence[BookingOnBooks]:
        return list(self._carrier.books.bookings.values())
