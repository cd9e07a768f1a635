"""A carrier over HTTP."""

from application.ports import Declined, Done, OutcomeUnknown, ProviderUnavailable
from application.shop.ports import Booked
from domain.shop_values import OrderId
from infrastructure.providers.line import Line


class Carrier:
    """A :class:`~application.ports.Carrier`."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def book(
        self, key: str, order_id: OrderId, country: str | None, parcels: int = 1
    ) -> Booked | Declined:
        content = {"order_id": order_id, "country": country, "parcels": parcels}
        match await self._line.act("book", key, content):
            case Booked() | Declined() as answer:
                return answer
            case other:
                raise OutcomeUnknown(f"{other} is no answer to a booking")

    async def cancel(self, key: str, booking: str) -> None:
        answer = await self._line.act("cancel", key, {"booking": booking})
        if answer != Done():
            raise OutcomeUnknown(f"{answer} is no answer to a cancellation")

    async def find(self, key: str) -> Booked | Declined | Done | None:
        match await self._line.find(key):
            case Booked() | Declined() | Done() | None as answer:
                return answer
            case other:
                raise ProviderUnavailable(f"{other} is no answer of a carrier")
