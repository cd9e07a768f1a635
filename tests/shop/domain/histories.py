"""Histories of the shop: the same order, the same receipt, one piece too many."""

from typing import Final

from hypothesis import strategies as st

from application.shop.service import SHOP
from domain import exchanges, orders, payments, shipments, stock
from domain.values import Money
from tests.histories import (
    A_TEXT,
    AN_ID,
    PARKING_EXAMPLES,
    PARKING_FIELDS,
    Examples,
    Fields,
    Histories,
    example,
)

AMOUNTS = st.sampled_from(["0.5 GBP", "1 GBP", "1.001 GBP", "2 GBP", "0 GBP", "1 EUR"])

FIELDS: Final[Fields] = {
    **PARKING_FIELDS,
    **dict.fromkeys(("order_id", "customer_id", "shipment_id", "return_id", "exchange_id"), AN_ID),
    **dict.fromkeys(("receipt_id", "write_off_id", "adjustment_id", "refund_id"), AN_ID),
    **dict.fromkeys(("sku", "description", "reason", "carrier", "tracking_code"), A_TEXT),
    **dict.fromkeys(("country", "recipient", "address"), A_TEXT),
    **dict.fromkeys(("unit_price", "amount"), AMOUNTS.map(Money.parse)),
    "quantity": st.integers(1, 4),
    "line": st.integers(1, 2),
    "difference": st.integers(-4, 4),
    "from_history": st.booleans(),
}
"""What may stand in a field of that name: a new field needs a row here."""


LINE = {"sku": "85123A", "quantity": 4, "unit_price": "2.55 GBP"}
PLACE = example(orders.PlaceOrder, lines=[LINE, LINE])
RESERVE = example(stock.ReserveStock, order_id="a", quantity=3)
AUTHORISE = example(payments.AuthorisePayment, order_id="a", amount="3 GBP")
BOOK = example(shipments.BookShipment, order_id="a", carrier="DHL")
HAND_OVER = example(shipments.HandOverShipment, tracking_code="1Z")
EXCHANGE = example(
    exchanges.RequestExchange, order_id="a", back=[{**LINE, "line": 1}], replacements=[LINE]
)

EXAMPLES: Final[Examples] = {
    **PARKING_EXAMPLES,
    "order": [
        [
            PLACE,
            orders.ConfirmOrder(),
            example(orders.ShipOrder, shipment_id="a"),
            orders.DeliverOrder(),
            example(orders.ReturnLines, return_id="a", lines=[{"line": 1, "quantity": 1}]),
            example(orders.ClaimLines, exchange_id="a", lines=[{"line": 1, "quantity": 1}]),
            example(orders.FreeLines, exchange_id="a"),
        ],
        [PLACE, example(orders.CancelOrder, reason="too slow")],
        [example(orders.PlaceOrder, lines=[LINE], recipient="Ada", address="London")],
    ],
    "stock": [
        [
            example(stock.ReceiveStock, receipt_id="a", quantity=5),
            RESERVE,
            example(stock.ReleaseStock, order_id="a"),
            RESERVE,
            example(stock.DispatchStock, order_id="a"),
            example(stock.WriteOffStock, write_off_id="a", quantity=1, reason="wet"),
            example(stock.AdjustStock, adjustment_id="a", difference=-1, reason="count"),
        ]
    ],
    "payment": [
        [
            AUTHORISE,
            example(payments.CapturePayment, amount="2.5 GBP"),
            example(payments.RefundPayment, refund_id="a", amount="1 GBP"),
        ],
        [AUTHORISE, payments.VoidPayment()],
        [example(payments.DeclinePayment, order_id="a", amount="3 GBP", reason="expired")],
    ],
    "shipment": [
        [BOOK, HAND_OVER, shipments.DeliverShipment()],
        [BOOK, HAND_OVER, example(shipments.FailShipment, reason="lost")],
        [BOOK, shipments.CancelShipment()],
    ],
    "exchange": [
        [
            EXCHANGE,
            exchanges.ReceiveGoods(),
            exchanges.ApproveExchange(),
            exchanges.SendReplacement(),
            exchanges.CompleteExchange(),
        ],
        [EXCHANGE, example(exchanges.CloseExchange, reason="too late")],
    ],
}
"""Lives in which every wish is fulfilled."""

SHOP_HISTORIES: Final = Histories(SHOP, FIELDS, EXAMPLES)
