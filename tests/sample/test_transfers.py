"""The rules of a transfer, one sentence each."""

import pytest

from tests.sample.transfers import (
    AlreadyCancelled,
    AlreadyCompleted,
    AlreadyRequested,
    ApproveTransfer,
    CancelTransfer,
    CompleteTransfer,
    RemindOfTransfer,
    RequestTransfer,
    TransferApproved,
    TransferCancelled,
    TransferCommand,
    TransferCompleted,
    TransferReminded,
    TransferRequested,
    UnknownTransfer,
    decider,
)
from tests.specification import Specification

transfer = Specification(decider)

REQUEST = RequestTransfer(source="a", target="b", amount=3)
REQUESTED = TransferRequested(**dict(REQUEST))
CANCEL = CancelTransfer(reason="no")


def test_a_transfer_is_requested_approved_and_completed() -> None:
    """One after the other; it may also be completed at once."""
    transfer.given().when(REQUEST).then(REQUESTED)
    transfer.given(REQUESTED).when(ApproveTransfer()).then(TransferApproved())
    transfer.given(REQUESTED, TransferApproved()).when(CompleteTransfer()).then(TransferCompleted())
    transfer.given(REQUESTED).when(CompleteTransfer()).then(TransferCompleted())


def test_a_reminder_is_recorded_once() -> None:
    """Until the transfer has ended: then there is nothing to remind of."""
    remind, reminded = RemindOfTransfer(reminder_id="r"), TransferReminded(reminder_id="r")
    transfer.given(REQUESTED).when(remind).then(reminded)
    transfer.given(REQUESTED, TransferCompleted()).when(remind).then_nothing()


def test_an_id_is_one_transfer() -> None:
    """Another request under the same id is refused."""
    other = RequestTransfer(source="a", target="b", amount=4)
    transfer.given(REQUESTED).when(other).then_refused(AlreadyRequested)


@pytest.mark.parametrize("command", [ApproveTransfer(), CompleteTransfer(), CANCEL])
def test_a_transfer_begins_with_a_request(command: TransferCommand) -> None:
    """Before it there is nothing to approve, to complete or to cancel."""
    transfer.given().when(command).then_refused(UnknownTransfer)


@pytest.mark.parametrize("command", [ApproveTransfer(), CompleteTransfer()])
def test_a_cancelled_transfer_stays_cancelled(command: TransferCommand) -> None:
    """Nothing else happens to it."""
    cancelled = TransferCancelled(reason="no")
    transfer.given(REQUESTED).when(CANCEL).then(cancelled)
    transfer.given(REQUESTED, cancelled).when(command).then_refused(AlreadyCancelled)


def test_a_completed_transfer_stays_completed() -> None:
    """It is not cancelled any more."""
    transfer.given(REQUESTED, TransferCompleted()).when(CANCEL).then_refused(AlreadyCompleted)
