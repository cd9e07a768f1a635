"""A payment provider in memory."""

import asyncio

from application.ports import Declined, Done
from application.shop.ports import Authorised
from domain.shop_values import OrderId
from domain.values import Money
from infrastructure.providers.simulated.faults import Faults
from infrastructure.providers.simulated.ledger import Ledger
from infrastructure.providers.simulated.line import Line, Sleep
from infrastructure.shop.memory.payments import Authorise, Capture, Payments, Refund, Void


class PaymentProvider:
    """A :class:`~application.ports.PaymentProvider`."""

    def __init__(
        self,
        faults: Faults | None = None,
        *,
        patience: float | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """After ``patience`` seconds a call raises ``OutcomeUnknown``, but may still arrive."""
        self.books = Payments()
        self._line = Line(Ledger(self.books), faults or Faults(), patience, sleep)

    async def authorise(self, key: str, order_id: OrderId, amount: Money) -> Authorised | Declined:
        answer = await self._line.call(key, Authorise(order_id=order_id, amount=amount))
        assert not isinstance(answer, Done)  # so the books decide
        return answer

    async def capture(self, key: str, authorisation: str, amount: Money) -> None:
        await self._line.call(key, Capture(authorisation=authorisation, amount=amount))

    async def void(self, key: str, authorisation: str) -> None:
        await self._line.call(key, Void(authorisation=authorisation))

    async def refund(self, key: str, authorisation: str, amount: Money) -> None:
        await self._line.call(key, Refund(authorisation=authorisation, amount=amount))

    async def find(self, key: str) -> Authorised | Declined | Done | None:
        return await self._line.find(key)
