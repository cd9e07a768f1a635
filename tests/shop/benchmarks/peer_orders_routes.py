"""A route for each command that the shop's saga sends to an order; see ``peer_orders.py``."""

from fastapi import APIRouter, Response

from domain.orders import ConfirmOrder, DeliverOrder, ShipOrder
from infrastructure.http.commands import Done, Requested
from infrastructure.shop.http.orders import Order

router = APIRouter(prefix="/orders")


@router.post("/{order_id}/confirmation")
async def confirm(id: Order, request: Requested, response: Response) -> Done:
    return await request.carry_out(id, ConfirmOrder(), response)


@router.post("/{order_id}/shipment")
async def ship(id: Order, request: Requested, response: Response) -> Done:
    return await request.carry_out(id, ShipOrder(shipment_id="shipment-1"), response)


@router.post("/{order_id}/delivery")
async def deliver(id: Order, request: Requested, response: Response) -> Done:
    return await request.carry_out(id, DeliverOrder(), response)
