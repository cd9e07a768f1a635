"""Ids of what belongs to the caller, where a rule limits them to that."""

from typing import Annotated

from fastapi import Depends, Path

from application.access import Forbidden
from application.shop.access import require_own_exchange, require_own_order
from domain.shop_values import CustomerId, ExchangeId, OrderId
from infrastructure.http.access import Only
from infrastructure.http.served import Serving

_Order = Annotated[OrderId, Path(alias="order_id", examples=["536365"])]
_Exchange = Annotated[ExchangeId, Path(alias="exchange_id")]
_Customer = Annotated[CustomerId, Path(alias="customer_id", examples=["17850"])]


async def _own_order(id: _Order, only: Only, service: Serving) -> OrderId:
    if only is not None:
        await require_own_order(service.event_store, id, only)
    return id


async def _own_exchange(id: _Exchange, only: Only, service: Serving) -> ExchangeId:
    if only is not None:
        await require_own_exchange(service.event_store, id, only)
    return id


async def _own_customer(id: _Customer, only: Only) -> CustomerId:
    require_self(id, only)
    return id


def require_self(id: CustomerId | None, only: str | None) -> CustomerId | None:
    """The customer that a request is about. A customer limited to their own is that customer.

    Raises :class:`~application.access.Forbidden` for another customer.
    """
    if only is not None and id not in (None, only):
        raise Forbidden(f"customer {id} is somebody else: you are {only}")
    return only or id


OwnOrder = Annotated[OrderId, Depends(_own_order)]
"""An order which the caller may see and change."""
OwnExchange = Annotated[ExchangeId, Depends(_own_exchange)]
OwnCustomer = Annotated[CustomerId, Depends(_own_customer)]
