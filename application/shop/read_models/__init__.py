"""The read models of the shop."""

from application.shop.read_models.customer_orders import customer_orders
from application.shop.read_models.daily_sales import daily_sales
from application.shop.read_models.exchanges import exchanges
from application.shop.read_models.order_summary import order_summary
from application.shop.read_models.orders_by_date import orders_by_date
from application.shop.read_models.product_search import product_search
from application.shop.read_models.stock_levels import stock_levels

__all__ = [
    "customer_orders",
    "daily_sales",
    "exchanges",
    "order_summary",
    "orders_by_date",
    "product_search",
    "stock_levels",
]
