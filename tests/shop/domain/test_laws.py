"""The laws of deciders, on the shop."""

from domain import exchanges, orders, payments, shipments, stock
from tests.domain.decider_laws import *  # noqa: F403 - every law is a test of this suite
from tests.domain.decider_laws import of
from tests.shop.domain import test_exchanges, test_orders, test_payments, test_shipments, test_stock
from tests.shop.domain.histories import SHOP_HISTORIES

pytest_generate_tests = of(
    SHOP_HISTORIES,
    pages=[
        (orders, test_orders),
        (stock, test_stock),
        (payments, test_payments),
        (shipments, test_shipments),
        (exchanges, test_exchanges),
    ],
)
