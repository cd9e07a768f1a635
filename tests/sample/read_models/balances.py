"""What is on every account, and how much of it is free. Key: the account."""

from collections.abc import Collection
from typing import assert_never, cast

from application.messages import RecordedEvent
from application.projections.projection import Projection, View
from tests.sample.accounts import AccountEvent, Deposited, Held, Released, Withdrawn
from tests.sample.aggregates import ACCOUNT
from tests.sample.values import AccountId


class Balance(View):
    account_id: AccountId
    version: int = -1  # of the stream: what the next command may be based on
    balance: int = 0
    held: int = 0
    free: int = 0


def _keys(recorded: RecordedEvent) -> Collection[str]:
    return (recorded.stream_id,)


def _evolve(known: Balance | None, recorded: RecordedEvent) -> Balance:
    known = known or Balance(account_id=recorded.stream_id)
    balance, held = _movement(cast("AccountEvent", recorded.event))
    return Balance(
        account_id=known.account_id,
        version=recorded.version,
        balance=known.balance + balance,
        held=known.held + held,
        free=known.free + balance - held,
    )


def _movement(event: AccountEvent) -> tuple[int, int]:
    """By how much the event changes the balance, and what is held of it."""
    match event:
        case Deposited(amount=amount):
            return amount, 0
        case Held(amount=amount):
            return 0, amount
        case Released(amount=amount):
            return 0, -amount
        case Withdrawn(amount=amount):
            return -amount, -amount
        case _:
            assert_never(event)


balances = Projection(
    name="balances",
    version=1,
    view=Balance,
    follows=(ACCOUNT,),
    keys=_keys,
    evolve=_evolve,
)
