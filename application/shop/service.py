"""THE TABLE: the whole service on one page."""

from typing import Any, Final

from application.service import Service
from application.shop.access import ROLES
from application.shop.aggregates import EXCHANGE, ORDER, PAYMENT, SHIPMENT, STOCK
from application.shop.incoming import RECEIVED  # only: bus
from application.shop.integration_events import PUBLISHED  # only: bus
from application.shop.ports import Outside
from application.shop.reactions.goods_return import goods_return
from application.shop.reactions.shipping import shipping
from application.shop.read_models import (
    customer_orders,
    daily_sales,
    exchanges,
    order_summary,
    orders_by_date,
    product_search,
    stock_levels,
)
from application.shop.sagas.goods_exchange import goods_exchange
from application.shop.sagas.order_fulfilment import order_fulfilment
from application.shop.sagas.outside_calls import outside_calls
from domain.orders import OrderPlaced


def prices_carry_their_currency(data: dict[str, Any]) -> dict[str, Any]:
    """OrderPlaced 1 → 2: the shop sold in pounds only, so a price was a bare number."""
    lines = [{**line, "unit_price": f"{line['unit_price']} GBP"} for line in data["lines"]]
    return {**data, "lines": lines}


SHOP: Final[Service[Outside]] = Service(
    name="headwater",
    categories=(ORDER, STOCK, PAYMENT, SHIPMENT, EXCHANGE),
    projections=(
        order_summary,
        orders_by_date,
        stock_levels,
        daily_sales,
        customer_orders,
        exchanges,
        product_search,
    ),
    sagas=(order_fulfilment, goods_exchange),
    reactions=(goods_return, shipping),
    outside_calls=outside_calls,
    upcasters={OrderPlaced: {1: prices_carry_their_currency}},
    roles=ROLES,
    publishes=PUBLISHED,  # only: bus
    receives=RECEIVED,  # only: bus
)
