"""One integration event of every version, as the shop publishes or receives it.

python -m tests.shop.integration_samples    releases what the corpus lacks
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from application.integration_events import IntegrationEvent
from application.shop import incoming, integration_events
from application.shop.service import SHOP
from domain.values import Money
from tests.contracts.contract_corpus import ContractCorpus

SAMPLES: Sequence[IntegrationEvent] = (
    integration_events.OrderPlaced(
        order_id="536365",
        country="United Kingdom",
        lines=(
            integration_events.OrderedLine(sku="85123A", quantity=6),
            integration_events.OrderedLine(sku="BANK CHARGES", quantity=1),
        ),
    ),
    integration_events.OrderConfirmed(order_id="536365"),
    integration_events.OrderShipped(order_id="536365", shipment_id="536365"),
    integration_events.OrderDelivered(order_id="536365"),
    integration_events.OrderCancelled(order_id="536365"),
    integration_events.OrderReturned(
        order_id="536365",
        return_id="C536379",
        lines=(integration_events.ReturnedLine(line=1, quantity=2),),
    ),
    integration_events.PaymentAuthorised(
        payment_id="536365", order_id="536365", amount=Money.parse("139.12 GBP")
    ),
    integration_events.PaymentCaptured(payment_id="536365", amount=Money.parse("139.12 GBP")),
    integration_events.PaymentRefunded(
        payment_id="536365", refund_id="C536379", amount=Money.parse("5.1 GBP")
    ),
    integration_events.ShipmentBooked(shipment_id="536365", order_id="536365", carrier="Parcel Co"),
    integration_events.ShipmentHandedOver(shipment_id="536365", tracking_code="PC-1"),
    integration_events.ShipmentDelivered(shipment_id="536365"),
    integration_events.ShipmentFailed(shipment_id="536365"),
    integration_events.AvailabilityChanged(sku="85123A", difference=-6),
    incoming.ParcelDelivered(shipment_id="536365", tracking_code="PC-1"),
    incoming.ParcelFailed(shipment_id="536365", tracking_code="PC-1", reason="lost in the depot"),
)

SHOP_CONTRACT: Final = ContractCorpus(
    home=Path(__file__).parent / "contracts/integration_events",
    module="tests.shop.integration_samples",
    service=SHOP,
    samples=SAMPLES,
)

if __name__ == "__main__":
    SHOP_CONTRACT.freeze()
