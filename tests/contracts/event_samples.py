"""One event of every type, as a shop would record it. ``freeze`` turns them into stored bytes.

    python -m tests.contracts.event_samples        writes what the golden corpus lacks

The corpus keeps, for each type and version, the real bytes and the schema they followed. Nothing
there is ever overwritten: a changed event is a new version, with an upcaster and a new sample.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from application import parking
from application.sagas import events as sagas
from application.shop.service import SHOP
from application.snapshots import SnapshotTaken
from domain import exchanges, orders, payments, shipments, stock
from domain.decider import Event
from domain.values import Money

CORPUS = Path(__file__).parent / "events"

_AN_EVENT, _ANOTHER = UUID(int=1), UUID(int=2)
_PRICE = Money.parse("2.55 GBP")
_MOMENT = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
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
    sagas.SagaStarted(
        saga="order_fulfilment",
        version=1,
        facts={
            "order_id": "o-1",
            "units": {"85123A": 6},
            "worth": "15.30 GBP",
            "country": "France",
        },
    ),
    sagas.StepBegun(step="authorise payment", deadline=_MOMENT),
    sagas.StepDelayed(step="book shipment", error="no answer", again_at=_MOMENT),
    sagas.StepCompleted(step="reserve stock"),
    sagas.StepRefused(step="reserve stock", reason="OutOfStock: 6 are wanted", partly=True),
    sagas.StepTimedOut(step="capture payment", error="no answer"),
    sagas.StepUndone(step="reserve stock"),
    sagas.UndoDelayed(step="book shipment", error="no answer", again_at=_MOMENT),
    sagas.WaitBegun(step="await goods", until=_MOMENT),
    sagas.EventArrived(step="await goods", event_id=str(_AN_EVENT)),
    sagas.WaitExpired(step="await goods", error="no GoodsReceived by 2026-01-31 12:30:00Z"),
    sagas.SagaWoken(due=_MOMENT),
    sagas.CompensationOrdered(by="ada", reason="the customer called"),
    sagas.SagaRetried(by="ada", reason="the carrier is back"),
    sagas.SagaCompleted(),
    sagas.SagaCompensated(),
    sagas.SagaFailed(step="confirm order", reason="AlreadyShipped: the goods have left"),
    sagas.SagaResolved(by="ada", reason="refunded by bank transfer"),
    sagas.DeadlinesKept(position=12_345, moments={"o-1": 1_769_862_600_000}),
    parking.EventParked(
        event_id=_AN_EVENT,
        stream="order-o-1",
        version=5,
        type="LinesReturned",
        error="ProviderRefused: it has been voided",
        attempts=3,
        behind=_ANOTHER,
    ),
    parking.ReplayRequested(
        event_id=_AN_EVENT, stream="order-o-1", by="ada", reason="the bank is back"
    ),
    parking.EventReplayed(event_id=_AN_EVENT, stream="order-o-1"),
    parking.EventDiscarded(
        event_id=_AN_EVENT, stream="order-o-1", by="ada", reason="paid back by hand"
    ),
    SnapshotTaken(
        version=499,
        event_id=_AN_EVENT,
        snapshots_version=1,
        schema_digest="64eef945",
        evolve_digest="0f9c3a17",
        state='{"on_hand":12,"reserved":{"o-1":6}}',
        commands="xXLkJQ==",
    ),
)


def schema(event: type[Event]) -> str:
    """The form of an event type, as text that can be compared; prose does not count."""
    return json.dumps(_without_prose(event.model_json_schema()), indent=1, sort_keys=True) + "\n"


def _without_prose(node: object) -> object:
    if isinstance(node, dict):
        prose = {"title", "description"} if "type" in node or "$ref" in node else set()
        return {key: _without_prose(value) for key, value in node.items() if key not in prose}
    if isinstance(node, list):
        return [_without_prose(item) for item in node]
    return node


def freeze() -> None:
    """Write the bytes and the schema of every current version that the corpus does not hold."""
    for event in SAMPLES:
        kind = type(event)
        home = CORPUS / kind.__name__
        sample = home / f"{SHOP.catalogue.current_version(kind.__name__)}.json"
        if not sample.exists():
            home.mkdir(parents=True, exist_ok=True)
            sample.write_bytes(event.model_dump_json().encode())
            sample.with_suffix(".schema").write_text(schema(kind))
            print("froze", sample.relative_to(CORPUS))


if __name__ == "__main__":
    freeze()
