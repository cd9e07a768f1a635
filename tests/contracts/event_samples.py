"""One event of every type that the kit itself records, in whatever service.

python -m tests.contracts.event_samples        writes what the golden corpus lacks
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from application import parking
from application.own_events import OWN
from application.receiving import events as receiving
from application.sagas import events as sagas
from application.snapshots import SnapshotTaken
from domain.decider import Event
from tests.contracts.golden_corpus import Corpus

_AN_EVENT, _ANOTHER = UUID(int=1), UUID(int=2)
_MOMENT = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
SAMPLES: Sequence[Event] = (
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
    receiving.RecordKept(
        topic="carrier.parcel",
        partition=2,
        offset=77,
        key=b"o-1",
        value=b"{\xff",
        headers=(("ce_id", b"n-1"), ("empty", None)),
        timestamp=_MOMENT,
    ),
    receiving.NothingToDo(source="/carrier", id="n-1", type="carrier.parcel.delivered.v1"),
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

OWN_CORPUS: Final = Corpus(
    home=Path(__file__).parent / "events",
    module="tests.contracts.event_samples",
    catalogue=OWN,
    categories=OWN.categories,
    samples=SAMPLES,
)

if __name__ == "__main__":
    OWN_CORPUS.freeze()
