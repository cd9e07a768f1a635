"""The carrier: what it can be asked, and the port over any connection to it."""

from typing import Final, TypeAlias

from application.ports import Declined, Done
from application.shop.ports import Booked, BookingRecord
from domain.shop_values import OrderId
from domain.values import Text
from infrastructure.providers import Call, Connection, Provider, done, granted


class Book(Call):
    order_id: OrderId
    country: Text | None
    parcels: int


class Cancel(Call):
    booking: str


CarrierCall = Book | Cancel

CARRIER: Final[Provider[CarrierCall, Booked, BookingRecord]] = Provider(
    name="parcels",
    calls={"book": Book, "cancel": Cancel},
    grants=(Booked,),
    record=BookingRecord,
)

CarrierConnection: TypeAlias = Connection[CarrierCall, Booked, BookingRecord]


class Carrier:
    """A :class:`~application.shop.ports.Carrier`."""

    def __init__(self, connection: CarrierConnection) -> None:
        self.connection = connection

    async def book(
        self, key: str, order_id: OrderId, country: str | None, parcels: int = 1
    ) -> Booked | Declined:
        call = Book(order_id=order_id, country=country, parcels=parcels)
        return await granted(self.connection, key, call)

    async def cancel(self, key: str, booking: str) -> None:
        await done(self.connection, key, Cancel(booking=booking))

    async def find(self, key: str) -> Booked | Declined | Done | None:
        return await self.connection.find(key)
