"""The read models: every projection that is declared, and so filled, watched and asked."""

from application.projections.order_summary import order_summary
from application.projections.stock_levels import stock_levels

PROJECTIONS = (order_summary, stock_levels)
