"""The shop without sagas, with one read model, and a route for each command of an order.

See ``peer_orders.py``. It has the command line of every service: ``serve --role api`` …
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from application.shop.read_models.order_summary import order_summary
from application.shop.service import SHOP
from infrastructure.cli.main import main
from infrastructure.shop.program import PROGRAM

if TYPE_CHECKING:
    from fastapi import APIRouter


def _routes() -> Sequence["APIRouter"]:
    from infrastructure.shop.http import orders
    from tests.shop.benchmarks.peer_orders_routes import router

    return orders.router, router


ORDERS: Final = replace(
    PROGRAM,
    service=replace(SHOP, projections=(order_summary,), sagas=(), reactions=()),
    routes=_routes,
)

if __name__ == "__main__":
    main(ORDERS)
