"""A transfer from one account to another. Stream: ``transfer-<id>``.

requested → approved → completed
    └──────────┴─────→ cancelled
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, assert_never

from domain.decider import Command, Decider, DomainError, Event, Missing, replace
from domain.personal import Personal, Subject
from domain.values import Money, Text
from tests.sample.values import AccountId, Amount, Note, ReminderId

# ── events ───────────────────────────────────────────────────────────────────────────────────────


class TransferRequested(Event):
    """Version 1 had a fee without a currency (``tests/sample/service.py``)."""

    source: Annotated[AccountId, Subject]
    target: AccountId
    amount: Amount
    fee: Money
    note: Annotated[Note | None, Personal] = None


class TransferApproved(Event):
    pass


class TransferReminded(Event):
    """Somebody was asked to approve it: any number of times."""

    reminder_id: ReminderId


class TransferCompleted(Event):
    pass


class TransferCancelled(Event):
    reason: Note


_Ended = TransferCompleted | TransferCancelled
TransferEvent = TransferRequested | TransferApproved | TransferReminded | _Ended

# ── state ────────────────────────────────────────────────────────────────────────────────────────


class TransferStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Transfer:
    requested: TransferRequested | None = None
    status: TransferStatus | None = None
    reminders: frozenset[ReminderId] = frozenset()


def evolve(transfer: Transfer, event: TransferEvent) -> Transfer:
    match event:
        case TransferRequested():
            return replace(transfer, requested=event, status=TransferStatus.REQUESTED)
        case TransferApproved():
            return replace(transfer, status=TransferStatus.APPROVED)
        case TransferReminded(reminder_id=id):
            return replace(transfer, reminders=transfer.reminders | {id})
        case TransferCompleted():
            return replace(transfer, status=TransferStatus.COMPLETED)
        case TransferCancelled():
            return replace(transfer, status=TransferStatus.CANCELLED)
        case _:
            assert_never(event)


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class RequestTransfer(Command):
    source: AccountId
    target: AccountId
    amount: Amount
    fee: Money = Money.zero("EUR")
    note: Note | None = None


class ApproveTransfer(Command):
    pass


class RemindOfTransfer(Command):
    reminder_id: ReminderId


class CompleteTransfer(Command):
    pass


class CancelTransfer(Command):
    reason: Text


TransferCommand = (
    RequestTransfer | ApproveTransfer | RemindOfTransfer | CompleteTransfer | CancelTransfer
)


class UnknownTransfer(Missing):
    """No transfer has been requested under this id."""


class AlreadyRequested(DomainError):
    """Another transfer has been requested under this id."""


class AlreadyCompleted(DomainError):
    """The transfer has been completed."""


class AlreadyCancelled(DomainError):
    """The transfer has been cancelled."""


# ── decide ───────────────────────────────────────────────────────────────────────────────────────


def decide(command: TransferCommand, transfer: Transfer) -> Sequence[TransferEvent]:
    if isinstance(command, RequestTransfer):
        return _request(command, transfer)
    if transfer.status is None:
        raise UnknownTransfer("there is no transfer with this id")
    match command:
        case ApproveTransfer():
            return _approve(transfer.status)
        case RemindOfTransfer(reminder_id=id):
            return _remind(id, transfer)
        case CompleteTransfer():
            return _complete(transfer.status)
        case CancelTransfer(reason=reason):
            return _cancel(reason, transfer.status)
        case _:
            assert_never(command)


def _request(command: RequestTransfer, transfer: Transfer) -> Sequence[TransferEvent]:
    requested = TransferRequested(**dict(command))
    if transfer.requested == requested:
        return []
    if transfer.requested is not None:
        raise AlreadyRequested(f"this id is a transfer of {transfer.requested.amount}")
    return [requested]


def _approve(status: TransferStatus) -> Sequence[TransferEvent]:
    _require_not_cancelled(status)
    return [TransferApproved()] if status is TransferStatus.REQUESTED else []


def _remind(id: ReminderId, transfer: Transfer) -> Sequence[TransferEvent]:
    known = id in transfer.reminders
    ended = transfer.status in (TransferStatus.COMPLETED, TransferStatus.CANCELLED)
    return [] if known or ended else [TransferReminded(reminder_id=id)]


def _complete(status: TransferStatus) -> Sequence[TransferEvent]:
    _require_not_cancelled(status)
    return [] if status is TransferStatus.COMPLETED else [TransferCompleted()]


def _cancel(reason: str, status: TransferStatus) -> Sequence[TransferEvent]:
    if status is TransferStatus.COMPLETED:
        raise AlreadyCompleted("a completed transfer cannot be cancelled")
    return [] if status is TransferStatus.CANCELLED else [TransferCancelled(reason=reason)]


def _require_not_cancelled(status: TransferStatus) -> None:
    if status is TransferStatus.CANCELLED:
        raise AlreadyCancelled("a cancelled transfer stays cancelled")


decider: Decider[TransferCommand, Transfer, TransferEvent] = Decider(Transfer(), evolve, decide)
