"""Every transfer: from where to where, how much, and how it stands. Key: the transfer."""

from collections.abc import Collection, Mapping
from typing import assert_never, cast

from pydantic import AwareDatetime

from application.messages import RecordedEvent
from application.projections.projection import Projection, View
from domain.values import Money
from tests.sample.aggregates import TRANSFER
from tests.sample.transfers import (
    TransferApproved,
    TransferCancelled,
    TransferCompleted,
    TransferEvent,
    TransferReminded,
    TransferRequested,
    TransferStatus,
)
from tests.sample.values import AccountId, TransferId


class TransferSummary(View):
    transfer_id: TransferId
    version: int  # of the stream: what the next command may be based on
    status: TransferStatus
    source: AccountId
    target: AccountId
    amount: int
    fee: Money
    requested_at: AwareDatetime
    updated_at: AwareDatetime
    reminders: int = 0
    note: str | None = None


_Later = TransferApproved | TransferReminded | TransferCompleted | TransferCancelled


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(known: TransferSummary | None, recorded: RecordedEvent) -> TransferSummary:
    event = cast("TransferEvent", recorded.event)  # the filter lets nothing else through
    if isinstance(event, TransferRequested):
        return _requested(event, recorded)
    if known is None:
        raise LookupError(f"{recorded.type} of {recorded.stream_id}, which was never requested")
    return known.model_copy(
        update={
            **_changes(event, known),
            "version": recorded.version,
            "updated_at": recorded.occurred_at,
        }
    )


def _requested(event: TransferRequested, recorded: RecordedEvent) -> TransferSummary:
    return TransferSummary(
        transfer_id=recorded.stream_id,
        version=recorded.version,
        status=TransferStatus.REQUESTED,
        source=event.source,
        target=event.target,
        amount=event.amount,
        fee=event.fee,
        requested_at=recorded.occurred_at,
        updated_at=recorded.occurred_at,
        note=event.note,
    )


def _changes(event: _Later, known: TransferSummary) -> Mapping[str, object]:
    match event:
        case TransferApproved():
            return {"status": TransferStatus.APPROVED}
        case TransferReminded():
            return {"reminders": known.reminders + 1}
        case TransferCompleted():
            return {"status": TransferStatus.COMPLETED}
        case TransferCancelled():
            return {"status": TransferStatus.CANCELLED}
        case _:
            assert_never(event)


transfer_summary = Projection(
    name="transfer_summary",
    version=1,
    view=TransferSummary,
    follows=(TRANSFER,),
    keys=_keys,
    evolve=_evolve,
    indexed=("source", "status"),
    detail=("note",),
)
