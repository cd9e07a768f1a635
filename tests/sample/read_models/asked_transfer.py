"""A transfer as a part of several read models: what was asked for, and whether it still stands."""

from collections.abc import Collection
from datetime import date
from typing import cast

from application.messages import RecordedEvent
from application.projections.projection import View
from domain.values import Money
from tests.sample.transfers import (
    TransferCancelled,
    TransferEvent,
    TransferReminded,
    TransferRequested,
)
from tests.sample.values import AccountId, TransferId


class AskedTransfer(View):
    transfer_id: TransferId
    source: AccountId
    target: AccountId
    day: date  # in UTC
    amount: int
    fee: Money
    note: str | None
    reminders: int = 0
    cancelled: bool = False


def key(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def evolve_asked(asked: AskedTransfer | None, recorded: RecordedEvent) -> AskedTransfer:
    """The transfer after one of its events. Raises ``LookupError`` before it was requested."""
    event = cast("TransferEvent", recorded.event)  # of a transfer's stream
    if isinstance(event, TransferRequested):
        return AskedTransfer(
            transfer_id=recorded.stream_id,
            source=event.source,
            target=event.target,
            day=recorded.occurred_at.date(),
            amount=event.amount,
            fee=event.fee,
            note=event.note,
        )
    if asked is None:
        raise LookupError(f"{recorded.type} of {recorded.stream_id}, which was never requested")
    match event:
        case TransferReminded():
            return asked.model_copy(update={"reminders": asked.reminders + 1})
        case TransferCancelled():
            return asked.model_copy(update={"cancelled": True})
        case _:
            return asked
