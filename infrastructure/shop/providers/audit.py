"""The records of both providers, over any connection to them."""

from collections.abc import Sequence

from application.shop.ports import BookingRecord, PaymentRecord
from infrastructure.shop.providers.carrier import Carrier
from infrastructure.shop.providers.payment_provider import PaymentProvider


class Audit:
    """An :class:`~application.shop.ports.Audit` of these two."""

    def __init__(self, payment_provider: PaymentProvider, carrier: Carrier) -> None:
        self._payment_provider, self._carrier = payment_provider, carrier

    async def payments(self) -> Sequence[PaymentRecord]:
        return await self._payment_provider.connection.records()

    async def bookings(self) -> Sequence[BookingRecord]:
        return await self._carrier.connection.records()
