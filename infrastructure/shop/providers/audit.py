"""The books of both providers over HTTP."""

from collections.abc import Sequence
from typing import Final

from pydantic import TypeAdapter

from application.shop.ports import BookingOnBooks, PaymentOnBooks
from infrastructure.providers.line import Line

PAYMENTS: Final = TypeAdapter(list[PaymentOnBooks])
BOOKINGS: Final = TypeAdapter(list[BookingOnBooks])


class Audit:
    """An :class:`~application.ports.Audit` of the payment provider and the carrier."""

    def __init__(self, payment_provider: Line, carrier: Line) -> None:
        self._payment_provider, self._carrier = payment_provider, carrier

    async def payments(self) -> Sequence[PaymentOnBooks]:
        return await self._payment_provider.books(PAYMENTS)

    async def bookings(self) -> Sequence[BookingOnBooks]:
        return await self._carrier.books(BOOKINGS)
