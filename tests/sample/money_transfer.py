"""The saga of a transfer: hold the amount, pay the fee, let the transfer stand, move the amount.

| step              | asks                                  | undone by               |
|-------------------|---------------------------------------|-------------------------|
| request transfer  | nothing: it has been requested        | cancelling the transfer |
| hold amount       | the source to set it aside            | releasing it            |
| pay fee           | the gift card of the source to pay it | giving it back          |
| complete transfer | the transfer to stand                 | cancelling the transfer |
| move amount       | the source to pay, the target to have | nothing                 |

Completing is the point of no return. A transfer that is cancelled before has all undone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from application.messages import RecordedEvent
from application.sagas.actions import Action, Dispatch, OutsideCall
from application.sagas.saga import Facts, Saga, Step, nothing
from domain.values import Money
from tests.sample.accounts import Deposit, Hold, Release, Withdraw
from tests.sample.transfers import (
    CancelTransfer,
    CompleteTransfer,
    TransferCancelled,
    TransferRequested,
)
from tests.sample.values import AccountId, Amount, TransferId

REASON: Final = 200  # characters that a cancelled transfer has for its reason


@dataclass(frozen=True)
class PayFee(OutsideCall):
    """Have the fee paid by a gift card. Declined is refused."""

    transfer_id: TransferId
    card: AccountId
    fee: Money


@dataclass(frozen=True)
class ReturnFee(OutsideCall):
    """Have nothing paid, even by a payment that is still under way."""

    transfer_id: TransferId


class Asked(Facts):
    """What has to be known of a transfer."""

    transfer_id: TransferId
    source: AccountId
    target: AccountId
    amount: Amount
    fee: Money


def started_by(recorded: RecordedEvent) -> Asked | None:
    requested = recorded.event
    assert isinstance(requested, TransferRequested)  # nothing else starts it
    return Asked(
        transfer_id=recorded.stream_id,
        source=requested.source,
        target=requested.target,
        amount=requested.amount,
        fee=requested.fee,
    )


def cancel(asked: Asked, reason: str) -> Sequence[Action]:
    return [Dispatch(asked.transfer_id, CancelTransfer(reason=reason[:REASON]))]


def hold(asked: Asked) -> Sequence[Action]:
    return [Dispatch(asked.source, Hold(transfer_id=asked.transfer_id, amount=asked.amount))]


def release(asked: Asked, _: str) -> Sequence[Action]:
    return [Dispatch(asked.source, Release(transfer_id=asked.transfer_id))]


def pay_fee(asked: Asked) -> Sequence[Action]:
    return [PayFee(asked.transfer_id, asked.source, asked.fee)] if asked.fee.amount else []


def return_fee(asked: Asked, _: str) -> Sequence[Action]:
    return [ReturnFee(asked.transfer_id)] if asked.fee.amount else []


def complete(asked: Asked) -> Sequence[Action]:
    return [Dispatch(asked.transfer_id, CompleteTransfer())]


def move(asked: Asked) -> Sequence[Action]:
    return [
        Dispatch(asked.source, Withdraw(transfer_id=asked.transfer_id)),
        Dispatch(asked.target, Deposit(deposit_id=asked.transfer_id, amount=asked.amount)),
    ]


money_transfer: Final = Saga(
    name="money_transfer",
    version=1,
    facts=Asked,
    steps=(
        Step("request transfer", nothing, cancel),
        Step("hold amount", hold, release),
        Step("pay fee", pay_fee, return_fee),
        Step("complete transfer", complete, cancel),
        Step("move amount", move, in_order=True),
    ),
    no_return="complete transfer",
    starts=TransferRequested,
    started_by=started_by,
    cancels=TransferCancelled,
)
