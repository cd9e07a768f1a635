"""The read models: every projection that is declared, and so filled, watched and asked."""

from application.projections.customer_orders import customer_orders
from application.projections.daily_sales import daily_sales
from application.projections.order_summary import order_summary
from application.projections.product_search import product_search, product_search_1
from application.projections.sagas import sagas
from application.projections.stock_levels import stock_levels

PROJECTIONS = (
    order_summary,
    stock_levels,
    daily_sales,
    customer_orders,
    product_search,
    product_search_1,
    sagas,
)
