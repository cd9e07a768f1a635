"""One event of every type that the kit itself records, in whatever service.

python -m tests.contracts.event_samples        writes what the golden corpus lacks
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from application import api_keys, parking
from application.operating import operation
from application.own_events import OWN
from application.personal import forgotten
from application.receiving import events as receiving  # only: bus
from application.sagas import events as sagas
from application.snapshots import SnapshotTaken
from domain.decider import Event
from tests.contracts.golden_corpus import Corpus

_AN_EVENT, _ANOTHER = UUID(int=1), UUID(int=2)
_MOMENT = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
SAMPLES: Sequence[Event] = (
    sagas.SagaStarted(
        saga="money_transfer",
        version=1,
        facts={"source": "a-1", "target": "a-2", "amount": 15},
    ),
    sagas.StepBegun(step="check limits", deadline=_MOMENT),
    sagas.StepDelayed(step="pay fee", error="no answer", again_at=_MOMENT),
    sagas.StepCompleted(step="withdraw"),
    sagas.StepRefused(step="withdraw", reason="NotEnough: 6 are missing", partly=True),
    sagas.StepTimedOut(step="deposit", error="no answer"),
    sagas.StepUndone(step="withdraw"),
    sagas.UndoDelayed(step="pay fee", error="no answer", again_at=_MOMENT),
    sagas.WaitBegun(step="await approval", until=_MOMENT),
    sagas.EventArrived(step="await approval", event_id=str(_AN_EVENT)),
    sagas.WaitExpired(step="await approval", error="no TransferApproved by 2026-01-31 12:30:00Z"),
    sagas.SagaWoken(due=_MOMENT),
    sagas.CompensationOrdered(by="ada", reason="the customer called"),
    sagas.SagaRetried(by="ada", reason="the bank is back"),
    sagas.SagaCompleted(),
    sagas.SagaCompensated(),
    sagas.SagaFailed(step="confirm transfer", reason="AlreadyPaidOut: the money has left"),
    sagas.SagaResolved(by="ada", reason="refunded by bank transfer"),
    sagas.DeadlinesKept(position=12_345, moments={"t-1": 1_769_862_600_000}),
    operation.OperationBegun(
        action="read-model pause",
        target="transfer_summary",
        by="ada",
        reason="the database is moved",
        through="console",
        before="transfer_summary_v1 is live, not paused, not stopped",
    ),
    operation.OperationEnded(
        outcome=operation.Outcome.DONE,
        detail="transfer_summary_v1 is paused",
        after="transfer_summary_v1 is live, paused by ada: the database is moved",
    ),
    parking.EventParked(
        event_id=_AN_EVENT,
        stream="transfer-t-1",
        version=5,
        type="FeeReturned",
        error="ProviderRefused: it has been voided",
        attempts=3,
        behind=_ANOTHER,
    ),
    parking.ReplayRequested(
        event_id=_AN_EVENT, stream="transfer-t-1", by="ada", reason="the bank is back"
    ),
    parking.EventReplayed(event_id=_AN_EVENT, stream="transfer-t-1"),
    parking.EventDiscarded(
        event_id=_AN_EVENT, stream="transfer-t-1", by="ada", reason="paid back by hand"
    ),
    forgotten.SubjectForgotten(subject="customer-17850", at=_MOMENT),
    api_keys.KeyIssued(
        name="billing", roles=("clerk", "auditor"), digest="9f" * 32, expires_at=_MOMENT
    ),
    api_keys.KeyRevoked(reason="it was in a log"),
    # only: bus
    receiving.RecordKept(
        topic="clearing.payment",
        partition=2,
        offset=77,
        key=b"t-1",
        value=b"{\xff",
        headers=(("ce_id", b"n-1"), ("empty", None)),
        timestamp=_MOMENT,
    ),
    receiving.NothingToDo(source="/clearing", id="n-1", type="clearing.payment.settled.v1"),
    # end: bus
    SnapshotTaken(
        version=499,
        event_id=_AN_EVENT,
        snapshots_version=1,
        schema_digest="64eef945",
        evolve_digest="0f9c3a17",
        state='{"balance":12,"held":{"t-1":6}}',
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
