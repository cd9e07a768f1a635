"""What the bank publishes: transfers, and what is paid in; neither notes nor reasons."""

from typing import Final

from application.integration_events import IntegrationEvent, Publication
from tests.sample.accounts import Deposited
from tests.sample.aggregates import ACCOUNT, TRANSFER
from tests.sample.transfers import TransferCompleted, TransferRequested
from tests.sample.values import AccountId, Amount, TransferId


class Requested(IntegrationEvent, name="transfer.requested"):
    """Somebody wants an amount to go from one account to another."""

    transfer_id: TransferId
    source: AccountId
    target: AccountId
    amount: Amount


class Completed(IntegrationEvent, name="transfer.completed"):
    """The amount has gone."""

    transfer_id: TransferId


class Credited(IntegrationEvent, name="account.credited"):
    """An amount was paid in."""

    account_id: AccountId
    amount: Amount


def _requested(id: str, event: TransferRequested) -> Requested:
    return Requested(transfer_id=id, source=event.source, target=event.target, amount=event.amount)


def _credited(id: str, event: Deposited) -> Credited | None:
    thanks = event.deposit_id.startswith("thanks:")  # of the bank itself: nobody paid it in
    return None if thanks else Credited(account_id=id, amount=event.amount)


TRANSFERS: Final = Publication(
    TRANSFER,
    {
        TransferRequested: _requested,
        TransferCompleted: lambda id, _: Completed(transfer_id=id),
    },
    (Requested, Completed),
)
ACCOUNTS: Final = Publication(ACCOUNT, {Deposited: _credited}, (Credited,))

PUBLISHED: Final = (TRANSFERS, ACCOUNTS)
