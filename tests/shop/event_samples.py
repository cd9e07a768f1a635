"""One event of every type, as a shop would record it.

python -m tests.shop.event_samples        writes what the golden corpus lacks
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from application.shop.service import SHOP
from domain import exchanges, orders, payments, shipments, stock
from domain.decider import Event
from domain.values import Money
from tests.contracts.golden_corpus import Corpus

_PRICE = Money.parse("2.55 GBP")
SAMPLES: Sequence[Event] = (
    orders.OrderPlaced(
        customer_id="17850",
        country="United Kingdom",
        lines=(
            orders.OrderLine(
                sku="85123A",
                description="WHITE HANGING HEART T-LIGHT HOLDER",
                quantity=6,
                unit_price=_PRICE,
            ),
            orders.OrderLine(sku="BANK CHARGES", quantity=1, unit_price=Money.parse("0.001 GBP")),
        ),
        from_history=True,
    ),
    orders.RecipientNamed(
        customer_id="17850",
        recipient="Ada Lovelace",
        address="12 St James's Square, London SW1Y 4JH",
    ),
    orders.OrderConfirmed(),
    orders.OrderShipped(shipment_id="s-1"),
    orders.OrderDelivered(),
    orders.OrderCancelled(reason="changed my mind"),
    orders.LinesReturned(return_id="C536379", lines=(orders.ReturnedLine(line=1, quantity=2),)),
    orders.LinesClaimed(exchange_id="e-1", lines=(orders.ReturnedLine(line=1, quantity=2),)),
    orders.LinesFreed(exchange_id="e-1"),
    exchanges.ExchangeRequested(
        order_id="o-1",
        country="France",
        back=(exchanges.GoodsBack(line=1, sku="85123A", quantity=2, unit_price=_PRICE),),
        replacements=(
            exchanges.Replacement(
                sku="71053",
                description="WHITE METAL LANTERN",
                quantity=2,
                unit_price=Money.parse("3.39 GBP"),
            ),
        ),
    ),
    exchanges.GoodsReceived(),
    exchanges.ExchangeApproved(),
    exchanges.ReplacementSent(),
    exchanges.ExchangeCompleted(),
    exchanges.ExchangeClosed(reason="the goods did not come"),
    stock.StockReceived(receipt_id="r-1", quantity=100),
    stock.StockReserved(order_id="o-1", quantity=6),
    stock.StockReleased(order_id="o-1", quantity=6),
    stock.StockDispatched(order_id="o-1", quantity=6),
    stock.StockWrittenOff(write_off_id="w-1", quantity=3, reason="damaged", from_history=True),
    stock.StockAdjusted(adjustment_id="a-1", difference=-2, reason="counted"),
    payments.PaymentAuthorised(order_id="o-1", amount=_PRICE),
    payments.PaymentDeclined(order_id="o-1", amount=_PRICE, reason="card expired"),
    payments.PaymentCaptured(amount=_PRICE),
    payments.PaymentVoided(),
    payments.PaymentRefunded(refund_id="f-1", amount=_PRICE),
    shipments.ShipmentBooked(order_id="o-1", carrier="Royal Mail", country="France"),
    shipments.ShipmentHandedOver(tracking_code="RM 123 456"),
    shipments.ShipmentDelivered(),
    shipments.ShipmentFailed(reason="refused at the door"),
    shipments.ShipmentCancelled(),
)

SHOP_CORPUS: Final = Corpus(
    home=Path(__file__).parent / "events",
    module="tests.shop.event_samples",
    catalogue=SHOP.catalogue,
    categories=SHOP.categories,
    samples=SAMPLES,
)

if __name__ == "__main__":
    SHOP_CORPUS.freeze()
