"""The warehouse: the pick list, dispatching goods, handing parcels to the carrier.

The reports of the carrier come in here, too. Each is one command on one aggregate; the effects on
others are reactions (``reactions/shipping.py``). A parcel has the id of its order.
"""

from dataclasses import dataclass, replace
from typing import Literal
from uuid import uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict

from application.command_dispatch import CommandDispatch, CommandOutcome
from application.messages import Context
from application.paging import Page
from application.ports import Finding
from application.projections.projection import View
from application.shop.ports import Booked, Carrier
from application.shop.queries import orders
from application.shop.read_models.order_summary import OrderSummary
from application.shop.sagas.carrier_calls import booking_key
from domain.decider import DomainError
from domain.exchanges import SendReplacement
from domain.orders import OrderStatus, ShipOrder
from domain.shipments import DeliverShipment, FailShipment, HandOverShipment, OtherParcel
from domain.shop_values import CustomerId, ExchangeId, OrderId, Quantity, Sku
from domain.values import Name, Text


class NoBooking(DomainError):
    """The carrier has no booking for this parcel."""


class PickedLine(BaseModel):
    """Units of one SKU to take off the shelf."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    sku: Sku
    description: Text | None
    quantity: Quantity

    def __str__(self) -> str:
        return f"{self.quantity} of {self.sku}"


class Pick(View):
    """One order to pick, and what its label says."""

    order_id: OrderId
    placed_at: AwareDatetime
    customer_id: CustomerId | None
    country: Text | None
    recipient: Name | None
    address: Text | None
    goods: tuple[PickedLine, ...]


class Notice(BaseModel):
    """A notice of the carrier about a parcel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notice_id: Name
    shipment_id: OrderId
    tracking_code: Name
    status: Literal["delivered", "failed"]
    reason: Text | None = None

    @property
    def command(self) -> DeliverShipment | FailShipment:
        """What it reports."""
        if self.status == "delivered":
            return delivered(self.tracking_code)
        return failed(self.tracking_code, self.reason)


def delivered(tracking_code: Name) -> DeliverShipment:
    """The carrier reports that the parcel has arrived."""
    return DeliverShipment(tracking_code=tracking_code)


def failed(tracking_code: Name, reason: Text | None) -> FailShipment:
    """The carrier reports that the parcel will not arrive."""
    reason = reason or "the carrier gave no reason"
    return FailShipment(tracking_code=tracking_code, reason=reason)


async def pick_list(
    views: Finding[OrderSummary],
    *,
    after: OrderId | None = None,
    limit: int = 50,
    counted: bool = False,
) -> Page[Pick]:
    """Confirmed orders with the goods to pick, by id. ``limit`` as for orders."""
    status = OrderStatus.CONFIRMED
    page = await orders(views, status=status, after=after, limit=limit, counted=counted)
    whole = await views.load([order.order_id for order in page.items])
    picks = [_pick(whole[order.order_id].view) for order in page.items]
    return Page(picks, page.after, page.total)


def _pick(order: OrderSummary) -> Pick:
    goods = tuple(
        PickedLine(sku=line.sku, description=line.description, quantity=line.quantity)
        for line in order.lines
    )
    return Pick(
        order_id=order.order_id,
        placed_at=order.placed_at,
        customer_id=order.customer_id,
        country=order.country,
        recipient=order.recipient,
        address=order.address,
        goods=goods,
    )


@dataclass(frozen=True)
class Warehouse:
    """Every method raises what dispatch and the domain raise; repeating one changes nothing."""

    dispatch: CommandDispatch
    carrier: Carrier

    async def send(
        self, id: OrderId, context: Context, expected_version: int | None = None
    ) -> CommandOutcome:
        """Record that the goods leave the shelf. The order cannot be cancelled after that."""
        command = ShipOrder(shipment_id=id)
        return await self.dispatch(id, command, context, expected_version=expected_version)

    async def hand_over(self, id: OrderId, code: Name | None, context: Context) -> CommandOutcome:
        """Record that the carrier has the parcel; without ``code``, under that of the booking.

        Records the dispatch of the goods, if that is missing. Raises :class:`NoBooking`,
        ``OtherParcel`` for a code that is not the carrier's, and ``ProviderUnavailable``.
        """
        code = await self._tracking_code(id, code)
        own = uuid5(context.command_id, "ShipOrder")
        await self.send(id, replace(context, command_id=own))
        return await self.dispatch(id, HandOverShipment(tracking_code=code), context)

    async def hand_over_replacement(
        self, id: ExchangeId, code: Name | None, context: Context
    ) -> CommandOutcome:
        """The same for the goods of an exchange, whose parcel has its id."""
        code = await self._tracking_code(id, code)
        own = uuid5(context.command_id, "SendReplacement")
        await self.dispatch(id, SendReplacement(), replace(context, command_id=own))
        return await self.dispatch(id, HandOverShipment(tracking_code=code), context)

    async def report(self, notice: Notice, context: Context) -> CommandOutcome:
        """The parcel has arrived, or will not."""
        return await self.dispatch(notice.shipment_id, notice.command, context)

    async def _tracking_code(self, id: OrderId, given: Name | None) -> Name:
        match await self.carrier.find(booking_key(id)):
            case Booked(tracking_code=code) if given in (None, code):
                return code
            case Booked(tracking_code=code):
                raise OtherParcel(f"the carrier tracks the parcel of order {id} as {code}")
            case _ if given is not None:  # booked in another way
                return given
            case _:
                raise NoBooking(f"the carrier has no parcel for order {id}")
