"""A carrier in memory."""

import asyncio

from application.ports import Declined, Done
from application.shop.ports import Booked
from domain.shop_values import OrderId
from infrastructure.providers.simulated.faults import Faults
from infrastructure.providers.simulated.ledger import Ledger
from infrastructure.providers.simulated.line import Line, Sleep
from infrastructure.shop.memory.bookings import Book, Bookings, Cancel


class Carrier:
    """A :class:`~application.ports.Carrier`."""

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        patience: float | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """After ``patience`` seconds a call raises ``OutcomeUnknown``, but may still arrive."""
        self.books = Bookings()
        self._line = Line(Ledger(self.books), faults or Faults(), patience, sleep)

    async def book(
        self, key: str, order_id: OrderId, country: str | None, parcels: int = 1
    ) -> Booked | Declined:
        book = Book(order_id=order_id, country=country, parcels=parcels)
        answer = await self._line.call(key, book)
        assert not isinstance(answer, Done)  # so the books decide
        return answer

    async def cancel(self, key: str, booking: str) -> None:
        await self._line.call(key, Cancel(booking=booking))

    async def find(self, key: str) -> Booked | Declined | Done | None:
        return await self._line.find(key)
