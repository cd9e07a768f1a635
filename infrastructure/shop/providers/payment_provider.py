"""The payment provider: what it can be asked, and the port over any connection to it."""

from typing import Final, TypeAlias

from application.ports import Declined, Done
from application.shop.ports import Authorised, PaymentRecord
from domain.shop_values import OrderId
from domain.values import Money
from infrastructure.providers import Call, Connection, Provider, done, granted


class Authorise(Call):
    order_id: OrderId
    amount: Money


class Capture(Call):
    authorisation: str
    amount: Money


class Void(Call):
    authorisation: str


class Refund(Call):
    authorisation: str
    amount: Money


PaymentCall = Authorise | Capture | Void | Refund

PAYMENT_PROVIDER: Final[Provider[PaymentCall, Authorised, PaymentRecord]] = Provider(
    name="payments",
    calls={"authorise": Authorise, "capture": Capture, "void": Void, "refund": Refund},
    grants=(Authorised,),
    record=PaymentRecord,
)

PaymentConnection: TypeAlias = Connection[PaymentCall, Authorised, PaymentRecord]


class PaymentProvider:
    """A :class:`~application.shop.ports.PaymentProvider`."""

    def __init__(self, connection: PaymentConnection) -> None:
        self.connection = connection

    async def authorise(self, key: str, order_id: OrderId, amount: Money) -> Authorised | Declined:
        call = Authorise(order_id=order_id, amount=amount)
        return await granted(self.connection, key, call)

    async def capture(self, key: str, authorisation: str, amount: Money) -> None:
        await done(self.connection, key, Capture(authorisation=authorisation, amount=amount))

    async def void(self, key: str, authorisation: str) -> None:
        await done(self.connection, key, Void(authorisation=authorisation))

    async def refund(self, key: str, authorisation: str, amount: Money) -> None:
        await done(self.connection, key, Refund(authorisation=authorisation, amount=amount))

    async def find(self, key: str) -> Authorised | Declined | Done | None:
        return await self.connection.find(key)
