"""A payment provider over HTTP."""

from application.ports import Declined, Done, OutcomeUnknown, ProviderUnavailable
from application.shop.ports import Authorised
from domain.shop_values import OrderId
from domain.values import Money
from infrastructure.providers.line import Line


class PaymentProvider:
    """A :class:`~application.ports.PaymentProvider`."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def authorise(self, key: str, order_id: OrderId, amount: Money) -> Authorised | Declined:
        content = {"order_id": order_id, "amount": str(amount)}
        match await self._line.act("authorise", key, content):
            case Authorised() | Declined() as answer:
                return answer
            case other:
                raise OutcomeUnknown(f"{other} is no answer to an authorisation")

    async def capture(self, key: str, authorisation: str, amount: Money) -> None:
        await self._act("capture", key, authorisation=authorisation, amount=str(amount))

    async def void(self, key: str, authorisation: str) -> None:
        await self._act("void", key, authorisation=authorisation)

    async def refund(self, key: str, authorisation: str, amount: Money) -> None:
        await self._act("refund", key, authorisation=authorisation, amount=str(amount))

    async def find(self, key: str) -> Authorised | Declined | Done | None:
        match await self._line.find(key):
            case Authorised() | Declined() | Done() | None as answer:
                return answer
            case other:
                raise ProviderUnavailable(f"{other} is no answer of a payment provider")

    async def _act(self, call: str, key: str, **content: str) -> None:
        answer = await self._line.act(call, key, content)
        if answer != Done():
            raise OutcomeUnknown(f"{answer} is no answer to {call}")
