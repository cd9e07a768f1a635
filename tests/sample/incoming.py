"""What the bank receives: a clearing house reports payments, and transfers that it rejects."""

from typing import Final

from application.integration_events import IntegrationEvent
from application.receiving.incoming import Incoming
from tests.sample.accounts import Deposit, Release
from tests.sample.values import AccountId, Amount, TransferId


class PaymentReceived(IntegrationEvent, name="payment.received"):
    """Another bank has sent an amount."""

    payment_id: str
    account_id: AccountId
    amount: Amount


class TransferRejected(IntegrationEvent, name="transfer.rejected"):
    """The amounts that these accounts hold for a transfer are free again."""

    transfer_id: TransferId
    accounts: tuple[AccountId, ...]


def _deposit(event: PaymentReceived) -> list[tuple[str, Deposit]]:
    deposit = Deposit(deposit_id=f"payment:{event.payment_id}", amount=event.amount)
    return [(event.account_id, deposit)]


def _release(event: TransferRejected) -> list[tuple[str, Release]]:
    return [(account, Release(transfer_id=event.transfer_id)) for account in event.accounts]


CLEARING: Final = Incoming(
    publisher="clearing",
    topics=("clearing.payments",),
    handlers={PaymentReceived: _deposit, TransferRejected: _release},
)
RECEIVED: Final = (CLEARING,)
