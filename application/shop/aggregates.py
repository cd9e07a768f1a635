"""The aggregates of the shop: the decider, commands and events of each."""

from typing import Final

from application.category import Category
from domain import exchanges, orders, payments, shipments, stock
from domain.exchanges import ExchangeCommand, ExchangeEvent
from domain.orders import OrderCommand, OrderEvent
from domain.payments import PaymentCommand, PaymentEvent
from domain.shipments import ShipmentCommand, ShipmentEvent
from domain.stock import StockCommand, StockEvent

# fmt: off
ORDER: Final    = Category.of("order",    orders.decider,    OrderCommand,    OrderEvent)
STOCK: Final    = Category.of("stock",    stock.decider,     StockCommand,    StockEvent)
PAYMENT: Final  = Category.of("payment",  payments.decider,  PaymentCommand,  PaymentEvent)
EXCHANGE: Final = Category.of("exchange", exchanges.decider, ExchangeCommand, ExchangeEvent)
SHIPMENT: Final = Category.of("shipment", shipments.decider, ShipmentCommand, ShipmentEvent)
# fmt: on
